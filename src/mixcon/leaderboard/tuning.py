"""Choose the setting of each defense on held-out training samples, by accuracy alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from mixcon._files import write_whole
from mixcon.errors import RunError
from mixcon.training import RunFolder, TrainConfig

__all__ = [
    "Choice",
    "choices_file",
    "choices_files",
    "held_out_accuracy",
    "last_within",
    "network_of",
    "read_choices",
    "title_of",
    "write_choices",
]


class Choice(BaseModel):
    """How the setting of one defense was chosen.

    Attributes:
        tried: settings in words to their accuracy on held-out samples, in [0, 1], the undefended
            one first.
        chosen: the one that was taken.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tried: dict[str, float]
    chosen: str


def title_of(config: TrainConfig) -> str:
    """What is done against leaking, in words."""
    words = [str(config.defense)]
    if config.cut:
        words.append(f"cut after {config.cut}")
    if config.frozen:
        words.append("frozen encoder")
    if config.label_smoothing:
        words.append(f"label smoothing {config.label_smoothing:g}")
    return ", ".join(words).removeprefix("vanilla, ")


def held_out_accuracy(run: RunFolder) -> float:
    """Of a finished run whose config holds samples out, in [0, 1]."""
    if not run.config.holdout:
        raise RunError(f"{run.path}: expected a run with samples held out, but it has none")
    found: float = run.read_metrics()[-1]["test_accuracy"]
    return found


def last_within(accuracies: Sequence[float], undefended: float, points: float) -> int:
    """The place of the last setting that loses at most so many points.

    If all lose more, that of the most accurate.

    Example:
        >>> last_within([0.99, 0.985, 0.9], undefended=0.99, points=1.0)
        1
    """
    within = [i for i, found in enumerate(accuracies) if 100 * (undefended - found) <= points]
    return within[-1] if within else max(range(len(accuracies)), key=accuracies.__getitem__)


def choices_file(network: str) -> str:
    """Name of the file, beside the entries of a data set, that says how settings were chosen."""
    return f"choices-{network}.json"


def choices_files(board: Path) -> list[Path]:
    """All of them, of all data sets."""
    return sorted(board.glob(f"*/{choices_file('*')}"))


def network_of(path: Path) -> str:
    """Whose choices a file holds."""
    return path.stem.removeprefix("choices-")


def write_choices(path: Path, choices: Mapping[str, Choice]) -> None:
    """Write name to choice as JSON."""
    records = {name: choice.model_dump() for name, choice in choices.items()}
    write_whole(path, json.dumps(records, indent=2) + "\n")


def read_choices(path: Path) -> dict[str, Choice]:
    """What `write_choices` wrote.

    Raises:
        RunError: it holds something else.
    """
    try:
        return TypeAdapter(dict[str, Choice]).validate_json(path.read_bytes())
    except ValidationError as error:
        raise RunError(f"{path}: expected choices of settings, but got {error}") from error
