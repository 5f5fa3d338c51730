"""All that the page shows and its server needs, made ready before it opens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mixcon.attacks import Auxiliary
from mixcon.audit.guesses import LabelGuesses
from mixcon.audit.setup import Setup
from mixcon.data import Splits
from mixcon.errors import ConfigError
from mixcon.kinds import has_structure
from mixcon.metrics import ssim
from mixcon.show.cards import Card, cards_of
from mixcon.show.drawing import drawing_style
from mixcon.show.learner import Lesson
from mixcon.show.noise import LEVELS
from mixcon.show.shown_model import ShownModel
from mixcon.training import RunFolder

__all__ = ["Content", "OnPart", "check_images", "pixels"]

OnPart = Callable[[float, str], object]
"""Told the share of all work that is done, in [0, 1], and what is done now."""

_STYLED = 500  # samples that say what a drawing looks like
_GUESS = "class-ssim"
_EXAMPLES = 10


@dataclass(frozen=True)
class Content:
    """Models, guesses and examples of one page.

    Attributes:
        data: what the models were trained on.
        own: the attacker's own samples.
        steps: training steps of its decoders.
        models: one a run, in the order of the runs.
        cards: how these stand on the page.
        guesses: the best picture to guess from each label, (classes, C, H, W).
    """

    data: Splits
    own: Auxiliary
    steps: int
    models: list[ShownModel]
    cards: list[Card]
    guesses: Tensor

    @classmethod
    def prepare(
        cls, runs: Sequence[Path], data: Splits, folder: Path, steps: int, on_part: OnPart
    ) -> Content:
        """Export and attack the models, so far as the page shows them at first.

        Args:
            runs: finished runs on `data`, each an image set's.
            data: images.
            folder: keeps what is made.
            steps: training steps of each of the attacker's decoders.
            on_part: told about progress.
        """
        own = Setup.of(
            data, 1, 0, meter=None, thorough=False, begin=lambda *_: lambda _: None
        ).auxiliary
        cards = cards_of([RunFolder(run).config.defense for run in runs])
        parts = len(runs) + len(cards) + 1
        models = []
        for number, run in enumerate(runs):
            on_part(number / parts, f"exporting {run}")
            models.append(ShownModel.of(run, data, own, folder, steps))
        on_part(len(runs) / parts, "guessing from labels")
        guesses = _guesses(own, len(data.train.classes))
        for number, card in enumerate(cards):
            done = len(runs) + 1 + number

            def report(share: float, done: int = done, title: str = card.title) -> None:
                on_part((done + share) / parts, f"attacking {title}")

            models[card.runs[card.start]].cloud.learn(0, report)
        return cls(data, own, steps, models, cards, guesses)

    @property
    def lessons(self) -> list[Lesson]:
        """What the curious clouds have yet to learn: the dials' other positions."""
        shown = [card.runs[card.start] for card in self.cards]
        others = [run for card in self.cards for run in card.runs if run not in shown]
        order = [(run, level) for level in range(1, len(LEVELS)) for run in shown]
        order = [(run, 0) for run in others] + order
        order += [(run, level) for level in range(1, len(LEVELS)) for run in others]
        return [Lesson(self.models[run].cloud, level) for run, level in order]

    @cached_property
    def examples(self) -> tuple[Tensor, list[int]]:
        """A test image of each of the first classes, uint8 (N, C, H, W), and their labels.

        Of those whose label every model finds, the one that is least like the guess from it.
        """
        test = self.data.test
        alike = ssim(self.guesses[test.labels], test.floats())
        right = torch.stack([model.right for model in self.models]).all(0)
        score = torch.where(right, alike, 2.0)  # 2 is more than any SSIM
        some = [label for label in range(_EXAMPLES) if (test.labels == label).any()]
        index = [int(torch.where(test.labels == label, score, 3.0).argmin()) for label in some]
        return test.inputs[index], some

    def described(self) -> dict[str, Any]:
        """What the page reads when it opens, in JSON's types."""
        train = self.data.train
        return {
            "data": train.name,
            "shape": list(train.shape),
            "classes": list(train.classes),
            "style": drawing_style(train.floats(slice(_STYLED))),
            "own": len(self.own),
            "steps": self.steps,
            "levels": list(LEVELS),
            "examples": self.examples[1],
            "cards": [
                {
                    "title": card.title,
                    "note": card.note,
                    "setting": card.setting,
                    "values": card.values,
                    "start": card.start,
                    "models": [self.models[run].described() for run in card.runs],
                }
                for card in self.cards
            ],
        }


def check_images(data: Splits) -> None:
    """Refuse data that nobody can draw.

    Raises:
        ConfigError: the samples are no images, or too small for SSIM.
    """
    if not has_structure(data.train.shape):
        raise ConfigError(
            f"{data.train.name}: expected images of at least 11 x 11 pixels, which can be drawn "
            f"and compared, but samples have shape {data.train.shape}"
        )


def pixels(images: Tensor) -> bytes:
    """Images in [0, 1] as one byte a number, in order."""
    return (images * 255).round().byte().numpy().tobytes()


def _guesses(own: Auxiliary, classes: int) -> Tensor:
    learned = LabelGuesses.learn(own, range(classes), 4, seed=0, on_step=lambda _: None)
    return learned.images[:, learned.names.index(_GUESS)]
