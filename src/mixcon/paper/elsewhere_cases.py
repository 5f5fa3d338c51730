"""Data that the paper does not have: what is trained on it, and how it is attacked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mixcon.attacks import Attack, Decoder, strongest
from mixcon.models import network_named
from mixcon.training import TrainConfig

__all__ = ["CASES", "Case"]

_FACES = (
    "Forty people, 64 x 64 pixels, eight pictures of each to train on and two to test "
    "([Olivetti faces](https://cam-orl.co.uk/facedatabase.html), AT&T Laboratories Cambridge). The "
    "task is who it is, so the class gives the person away, and a guess from the class draws that "
    "person's face. *Recognition*: an independent classifier of these people, trained on the "
    "attacker's pictures, takes the reconstruction for the right one. With so few people no figure "
    "here speaks of strangers."
)
_VOICE = (
    "Spoken digits of six speakers, half a second at 2 kHz ([Free Spoken Digit "
    "Dataset](https://github.com/Jakobovski/free-spoken-digit-dataset), CC BY-SA 4.0). The task is "
    "the word, the secret who speaks; test takes are of the same six."
)
_X_RAYS = (
    "Chest X-rays of 28 x 28 pixels, normal or pneumonia: a subset of PneumoniaMNIST ([MedMNIST "
    "v2](https://medmnist.com), CC BY 4.0), whose figures do not compare with those on the whole. "
    "No patient is recorded, so re-identification asks which image it is, among images of its own "
    "class, and not whose. Images of the test part are unlike those of the training part, so "
    "accuracy on them is low."
)
_TABLES = (
    "30 measures of a tumor, malignant or benign (Breast Cancer Wisconsin, CC BY 4.0, with "
    "scikit-learn). The secret is one of them: whether the mean texture, of which the class says "
    "little, lies above the median. *All figures* lists the columns that come back best and worst."
)
_CENSUS = (
    "Made-up people after the Adult census, of which no row is in it: who earns much, from age, "
    "education, hours, gains, sex, marriage, job and region. The secrets are sex and marriage: the "
    "income has some cause to tell of both."
)
_TEXTS = (
    "Made-up messages to a bank, of 20 words at most: which of six things is wanted. Names, "
    "places, amounts and relatives are told along with it; the secret is the city that is named "
    "first, if any. The wishes are easily told apart, so the accuracy says little. *Tokens*: the "
    "share of a message's words that come back at their place."
)


@dataclass(frozen=True)
class Case:
    """One kind of data: a network, undefended and defended.

    Attributes:
        name: what the command line and the folder call it.
        title: its heading.
        about: what the data is, its source and what is secret, in sentences.
        data: name of the data set.
        network: name of the network.
        late: the layer to cut after once it is defended; undefended it is `early`.
        defense: what is recommended.
        attacks: of the audit.
        epochs: of each training from the start.
        adapted_epochs: of training behind the undefended encoder, where one takes a moment; chosen
            by accuracy on a fifth of the training samples, over three seeds.
        batch_size: samples per step.
        ramp: epochs over which the defense sets in, where at once it may leave the network at
            chance.
        early: the layer to cut after undefended; the network's own if empty.
        secrets: attributes that are read from z.
        metrics: shown beside the headline's.
    """

    name: str
    title: str
    about: str
    data: str
    network: str
    late: str
    defense: str
    attacks: Sequence[Attack[Any]]
    adapted_epochs: int
    epochs: int = 20
    batch_size: int = 64
    ramp: float = 0.0
    early: str = ""
    secrets: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()

    def undefended(self, seed: int = 0) -> TrainConfig:
        """What the others are compared with."""
        return TrainConfig(
            seed=seed,
            data=self.data,
            network=self.network,
            cut=self.early or network_named(self.network).cut,
            epochs=self.epochs,
            batch_size=self.batch_size,
        )

    def defended(self, seed: int = 0) -> TrainConfig:
        """Trained with the recommended defense from the start."""
        return self._changed(seed)

    def adapted(self, undefended: Path, seed: int = 0) -> TrainConfig:
        """The defense learned behind the encoder of an undefended run, which stays as it is."""
        return self._changed(seed, start=str(undefended), frozen=True, epochs=self.adapted_epochs)

    def _changed(self, seed: int, **settings: object) -> TrainConfig:
        known = self.undefended(seed).model_dump()
        known |= {"cut": self.late, "defense": self.defense, "ramp": self.ramp}
        return TrainConfig.model_validate(known | settings)

    def smoke(self) -> Case:
        """The path in small."""
        return replace(self, attacks=[Decoder(steps=20)], epochs=1, adapted_epochs=1)


CASES: dict[str, Case] = {
    case.name: case
    for case in (
        Case(
            "faces",
            "Faces",
            _FACES,
            data="olivetti_faces",
            network="resnet",
            late="relu",
            defense="code(bits=64) + unicon(weight=0.3, on=z)",
            attacks=strongest("image"),
            adapted_epochs=160,
            epochs=40,
            batch_size=16,
            metrics=("mse", "recognition", "reidentification"),
        ),
        Case(
            "voice",
            "Voices",
            _VOICE,
            data="spoken_digits",
            network="audio",
            late="relu3",
            defense="code(bits=24) + unicon(weight=0.3, on=z)",
            attacks=strongest("sequence"),
            adapted_epochs=160,
            secrets=("speaker",),
            metrics=("si-sdr", "log-mel", "reidentification_in_class"),
        ),
        Case(
            "x-rays",
            "X-rays",
            _X_RAYS,
            data="pneumonia",
            network="lenet5",
            late="relu3",
            defense="code(bits=4) + unicon(weight=0.3, on=z)",
            attacks=strongest("image"),
            adapted_epochs=60,
            epochs=15,
            metrics=("mse", "reidentification_in_class"),
        ),
        Case(
            "tables",
            "Tables",
            _TABLES,
            data="breast_cancer",
            network="mlp",
            early="relu1",
            late="relu1",
            defense="code(bits=4) + unicon(weight=0.3, on=z)",
            attacks=strongest("vector"),
            adapted_epochs=15,
            epochs=15,
            secrets=("mean_texture",),
            metrics=("cosine", "reidentification_in_class"),
        ),
        Case(
            "census",
            "A census",
            _CENSUS,
            data="census",
            network="mlp",
            early="relu1",
            late="relu1",
            defense="code(bits=4) + unicon(weight=0.3, on=z)",  # no less accurate than 8 bits
            attacks=strongest("vector"),
            adapted_epochs=10,
            epochs=10,
            ramp=2.0,
            secrets=("sex", "married"),
            metrics=("cosine", "reidentification_in_class"),
        ),
        Case(
            "texts",
            "Texts",
            _TEXTS,
            data="messages",
            network="transformer",
            late="relu",
            defense="code(bits=4) + unicon(weight=0.3, on=z)",
            attacks=strongest("text"),
            adapted_epochs=5,
            epochs=5,
            secrets=("city",),
            metrics=("cosine", "reidentification_in_class"),
        ),
    )
}
"""Name to case, in the order of the page."""
