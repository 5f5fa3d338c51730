"""The sweep folder: its config, the Optuna study, and one run folder a trial."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from mixcon._files import is_leftover, write_whole
from mixcon.audit import ModelRecord
from mixcon.errors import RunError
from mixcon.reports import read_report
from mixcon.sweep.config import SweepConfig, read_sweep_config
from mixcon.sweep.records import Trial
from mixcon.sweep.search import Proposal

__all__ = ["SweepFolder", "judged"]


@dataclass(frozen=True)
class SweepFolder:
    """A folder that holds one sweep.

    ``sweep.toml`` says what is searched; ``study.db`` is Optuna's, unless another storage is
    given; ``trials/NAME`` is a run folder with the judgments of the trial beside its weights, and
    ``trials/NAME/seed-SEED`` one of the same with a further seed.
    """

    path: Path

    @property
    def config(self) -> SweepConfig:
        """What is searched.

        Raises:
            ConfigError: there is no sweep, or a damaged one.
        """
        return read_sweep_config(self.path / "sweep.toml")

    @property
    def exists(self) -> bool:
        """Whether a sweep was begun here."""
        return (self.path / "sweep.toml").is_file()

    def claim(self, config: SweepConfig) -> None:
        """Make the folder this sweep's, or check that it is; trials and seeds may have changed.

        Raises:
            RunError: it holds another sweep, or other files; nothing is changed.
        """
        if self.exists:
            self._check_same(config)
        elif self.path.exists() and not all(map(_is_ours, self.path.iterdir())):
            raise RunError(
                f"{self.path}: expected a new or empty folder, or a sweep to go on with, but got "
                "a folder of other files; choose another --out"
            )
        else:
            write_whole(self.path / "id.txt", secrets.token_hex(4) + "\n")
        write_whole(self.path / "sweep.toml", config.to_toml())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder; the operating system lets go of it if this process dies.

        Raises:
            RunError: another sweep holds it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.path / ".lock", timeout=0):
                yield
        except Timeout as error:
            raise RunError(
                f"{self.path}: expected a folder to itself, but another sweep is at work there; "
                "wait for it, or choose another --out"
            ) from error

    @property
    def storage(self) -> str:
        """URL of the study's own database."""
        return f"sqlite:///{self.path.resolve() / 'study.db'}"

    def study(self, defense: str) -> str:
        """Name of a defense's study, one of its kind in a storage that sweeps share."""
        return f"{(self.path / 'id.txt').read_text(encoding='utf-8').strip()} {defense}"

    def name(self, defense: str, number: int) -> str:
        """Name of a trial."""
        return f"{defense}-{number:04}"

    def trial(self, defense: str, proposal: Proposal, reason: str | None = None) -> Trial:
        """What is known of a trial."""
        name = self.name(defense, proposal.number)
        return judged(Trial(name, defense, proposal.config, self.path / "trials" / name), reason)

    def repeat(self, trial: Trial, seed: int) -> Trial:
        """What is known of a trial with a further seed."""
        config = trial.config.model_copy(update={"seed": seed})
        name = f"seed-{seed}"
        return judged(Trial(f"{trial.name}-{name}", trial.defense, config, trial.folder / name))

    def _check_same(self, config: SweepConfig) -> None:
        ours, theirs = (c.model_dump(mode="json") for c in (config, self.config))
        odd = [
            f"{key} = {theirs[key]!r} there, {ours[key]!r} here"
            for key in ours
            if ours[key] != theirs[key] and key not in {"trials", "seeds"}
        ]
        if odd:
            raise RunError(
                f"{self.path}: expected the same sweep, but got {'; '.join(odd)}; choose another "
                "--out, or delete the folder"
            )


def judged(trial: Trial, reason: str | None = None) -> Trial:
    """The trial with the judgments that its folder holds by now."""
    cheap, strong, test = (_read(trial.folder / f"{s}.json") for s in ("cheap", "strong", "test"))
    return replace(trial, cheap=cheap, strong=strong, test=test, reason=reason)


def _is_ours(path: Path) -> bool:
    """What may lie in a folder that was claimed when the power went."""
    return path.name in {".lock", "id.txt"} or is_leftover(path)


def _read(path: Path) -> ModelRecord | None:
    return read_report(path).models[0] if path.is_file() else None
