"""The small models that `mixcon demo` and `mixcon show` train on bundled handwriting."""

from __future__ import annotations

from pathlib import Path

from mixcon.cli._console import interruptible, training_progress
from mixcon.defenses import DefenseConfig
from mixcon.training import TrainConfig, train

__all__ = ["code_of", "plain_and_paper", "train_on_digits"]


def plain_and_paper() -> tuple[str, str]:
    """What the recommended defense is compared with."""
    return "vanilla", "mixcon(weight=1, beta=1e-4)"


def code_of(bits: int) -> str:
    """The recommended defense."""
    return f"code(bits={bits}) + unicon(weight=0.3, on=z)"


def train_on_digits(defense: str, out: Path, name: str = "") -> Path:
    """Train a LeNet-5 with a defense, or go on, or find it finished: the run folder in `out`."""
    config = TrainConfig(
        data="digits",
        network="lenet5",
        defense=DefenseConfig.parse(defense),
        epochs=15,
        batch_size=16,
    )
    name = name or config.defense.name
    run = out / name
    with (
        interruptible("Run the same command again to go on."),
        training_progress(name) as on_progress,
    ):
        train(config, run, accelerator="cpu", on_progress=on_progress)
    return run
