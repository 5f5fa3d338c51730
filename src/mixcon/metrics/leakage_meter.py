"""All leakage metrics of an audit behind one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mixcon.kinds import Kind
from mixcon.metrics._classifier import OnStep
from mixcon.metrics._samples import check_class_labels
from mixcon.metrics.lpips import Lpips
from mixcon.metrics.pairwise import measure
from mixcon.metrics.perceptual import PerceptualDistance, RecognizerDistance, psim
from mixcon.metrics.recognizer import Recognizer, recognition, train_recognizer
from mixcon.metrics.reidentification import reidentify

__all__ = ["LeakageMeter"]


@dataclass(frozen=True)
class LeakageMeter:
    """Measures reconstructions by every metric that applies; made once an audit.

    Attributes:
        candidates: the samples among which re-identification hides each victim, (M, ...), none
            of them a victim.
        same_class: class to the samples among which each of its victims is hidden, (M, ...): what
            is found there is more than the class. Without an entry for every victim's class the
            metric is left out.
        recognizer: the independent classifier; None but for images.
        distance: the perceptual distance; None but for images.
    """

    candidates: Tensor = field(repr=False)
    same_class: Mapping[int, Tensor] = field(default_factory=dict, repr=False)
    recognizer: Recognizer | None = field(default=None, repr=False)
    distance: PerceptualDistance | None = None

    @classmethod
    def prepare(
        cls,
        auxiliary_inputs: Tensor,
        auxiliary_labels: Tensor,
        classes: int,
        candidates: Tensor,
        same_class: Mapping[int, Tensor] | None = None,
        *,
        seed: int = 0,
        steps: int = 600,
        on_step: OnStep = lambda _: None,
    ) -> LeakageMeter:
        """Train what the metrics need, on the attacker's own samples alone.

        Args:
            auxiliary_inputs: images (M, C, H, W) in [0, 1], or others (M, *shape).
            auxiliary_labels: their classes, int64 (M,).
            classes: number of classes.
            candidates: (K, ...), best test samples that are not attacked: those of the attacker
                may have shaped its reconstructions.
            same_class: likewise, by class.
            seed: of the training.
            steps: of the recognizer's training, 128 images each.
            on_step: told about its progress.

        Raises:
            ConfigError: samples and labels that do not fit together, or images outside [0, 1].
        """
        same_class = same_class or {}
        if Kind.of(auxiliary_inputs.shape[1:]) is not Kind.IMAGE:
            return cls(candidates, same_class)
        recognizer = train_recognizer(
            auxiliary_inputs, auxiliary_labels, classes, seed, steps=steps, on_step=on_step
        )
        distance = Lpips() if Lpips.missing() is None else RecognizerDistance(recognizer)
        return cls(candidates, same_class, recognizer, distance)

    def measure(
        self, reconstruction: Tensor, original: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        """Every metric that applies: name to one value per sample, (N,), never reduced.

        Given the originals as their own reconstructions, it tells the ceiling: what an exact copy
        scores, which for recognition is the recognizer's own accuracy.

        Args:
            reconstruction: images (N, C, H, W) in [0, 1], or others (N, *shape).
            original: the same shape.
            labels: true classes of the originals, int64 (N,).

        Raises:
            ConfigError: shapes that do not fit together.
            NonFiniteError: NaN or infinity in the reconstruction.
        """
        found = measure(reconstruction, original)
        check_class_labels("originals", labels, len(original))
        if self.distance:
            found["psim"] = psim(reconstruction, original, self.distance)
        if self.recognizer:
            found["recognition"] = recognition(reconstruction, labels, self.recognizer)
        ranks = self.ranks(reconstruction, original, labels)
        return found | {name: (rank == 1).float() for name, rank in ranks.items()}

    def ranks(self, reconstruction: Tensor, original: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """The place of each original among the candidates, int64 (N,), for each re-identification.

        Args:
            reconstruction: as of `measure`.
            original: likewise.
            labels: likewise.

        Raises:
            ConfigError, NonFiniteError: likewise.
        """
        found = {"reidentification": reidentify(reconstruction, original, self.candidates).rank}
        if self.same_class and set(labels.tolist()) <= set(self.same_class):
            place = torch.zeros(len(labels), dtype=torch.int64)
            for number in labels.unique().tolist():
                of, others = labels == number, self.same_class[number]
                place[of] = reidentify(reconstruction[of], original[of], others).rank
            found["reidentification_in_class"] = place
        return found

    @property
    def notes(self) -> dict[str, str]:
        """How to read the metrics that are not the same in every audit, one sentence each."""
        count = len(self.candidates) + 1
        vectors = Kind.VECTOR.fits(self.candidates.shape[1:])
        numbers = "pixels" if self.recognizer else "numbers"
        measure = "squared error" if vectors else f"partial correlation of {numbers}"
        notes = {
            "reidentification": f"1 where the original is the nearest of {count:,} candidates by "
            f"{measure}; a blind guess scores {1 / count:.2g}"
        }
        if self.same_class:
            counts = [len(others) + 1 for others in self.same_class.values()]
            notes["reidentification_in_class"] = (
                f"likewise, among {min(counts):,} to {max(counts):,} candidates of its own class, "
                "a rare one filled up with others"
            )
        if self.distance:
            notes["psim"] = f"1 - distance by {self.distance.name}"
        if self.recognizer:
            notes["recognition"] = (
                "1 where an independent classifier, trained on "
                f"{int(self.recognizer.trained_on):,} auxiliary images, sees the true label"
            )
        return notes
