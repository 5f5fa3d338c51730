"""The search for one defense, held by an Optuna study: what to try next, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mixcon.errors import ConfigError, RunError
from mixcon.sweep.axes import Axis, Value
from mixcon.sweep.config import Limits, SweepConfig
from mixcon.sweep.space import is_whole
from mixcon.training import TrainConfig

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.storages import BaseStorage

__all__ = ["Proposal", "Search", "open_storage", "told_by_database"]

# Attributes of Optuna's trials.
_CONFIG, _REASON, _TWIN, _UPPER, _BITS = "config", "reason", "same_as", "upper_excess", "bits"
_STARTUP = 10  # random trials before TPE learns from them; Optuna's default


@dataclass(frozen=True)
class Proposal:
    """A config that the search wants tried, and its number in the search."""

    number: int
    config: TrainConfig


def open_storage(where: str) -> BaseStorage:
    """Optuna's storage at a database URL, or in a journal file, ``*.log``.

    Raises:
        ConfigError: no such database or folder, another kind of file, or no driver.
    """
    import optuna  # noqa: PLC0415  slow to import

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if "://" not in where:
        return _open_journal(Path(where))
    try:
        return optuna.storages.RDBStorage(where)
    except ImportError as error:
        raise ConfigError(
            f"expected a driver for --storage {where.partition(':')[0]}, but got: {error}; for "
            "PostgreSQL: pip install 'mixcon[postgres]', and a URL that begins with postgresql+psycopg://"
        ) from error
    except Exception as error:  # SQLAlchemy's, of many kinds
        if type(error).__module__.startswith("sqlalchemy"):
            said = str(error).partition("\n")[0]
            raise ConfigError(f"expected a database for --storage, but got: {said}") from error
        raise


@contextmanager
def told_by_database() -> Iterator[None]:
    """Say in one message what the database of a study refuses while a sweep is at work.

    Raises:
        RunError: its disk is full, say, or its server is gone.
    """
    try:
        yield
    except Exception as error:  # Optuna's own, which wraps SQLAlchemy's, or that itself
        cause = error if _is_of_database(error) else error.__cause__
        if not _is_of_database(cause):
            raise
        said = str(cause).partition("\n")[0]
        raise RunError(
            f"expected the database of the sweep to keep its records, but got: {said}; make room "
            "on its disk or see to its server, and run the same command again to go on"
        ) from error


def _is_of_database(error: BaseException | None) -> bool:
    return type(error).__module__.startswith("sqlalchemy")


def _open_journal(path: Path) -> BaseStorage:
    from optuna.storages import JournalStorage  # noqa: PLC0415
    from optuna.storages.journal import JournalFileBackend  # noqa: PLC0415

    if path.suffix != ".log" or not path.absolute().parent.is_dir():
        raise ConfigError(
            f"expected --storage as a URL or a file *.log in a folder that exists, but got {path}"
        )
    # Optuna waits forever for the lock of a killed process if the path is relative: the lock is a
    # link to the file, from beside it.
    return JournalStorage(JournalFileBackend(str(path.absolute())))


class Search:
    """The trials of one defense: utility up, leakage down.

    The study is the ledger. A trial is asked for, run, and told; one that was asked for when a
    sweep was killed is proposed again under its own number, so that none is lost or run twice.
    """

    def __init__(
        self, name: str, defense: str, config: SweepConfig, storage: BaseStorage, limits: Limits
    ) -> None:
        """Open the study, or make it.

        Args:
            name: name of the study in the storage.
            defense: the defense that is searched.
            config: the sweep it belongs to.
            storage: where the study lives.
            limits: what samplers are to keep to.
        """
        import optuna  # noqa: PLC0415

        self.defense, self._config, self._limits = defense, config, limits
        self._grid = config.sampler == "grid" or defense == "vanilla"
        axes = {} if defense == "vanilla" else config.space.axes(defense, grid=self._grid)
        self._space = {name: _distribution(axis, is_whole(name)) for name, axis in axes.items()}
        self._study: Study = optuna.create_study(
            study_name=name,
            storage=storage,
            directions=["maximize", "minimize"],
            load_if_exists=True,
        )
        self._running: dict[int, Trial] = {}
        self._adopted = list(self._adopt())
        if self._grid:
            self._enqueue()

    def ask(self) -> Proposal | None:
        """What to try next; None once the budget is spent."""
        if self._adopted:
            return self._adopted.pop(0)
        while self._open:
            proposal = self._draw()
            if proposal:
                return proposal
        return None

    def tell(
        self,
        number: int,
        accuracy: float,
        excess: float,
        upper_excess: float,
        bits: float | None = None,
    ) -> None:
        """Report utility, leakage, and what limits are judged by: its upper end, and the bits."""
        trial = self._running.pop(number)
        trial.set_user_attr(_UPPER, upper_excess)
        trial.set_user_attr(_BITS, bits)
        if self._limits != Limits():
            trial.set_constraint("limits", self._limits.violation(accuracy, upper_excess, bits))
        self._study.tell(trial, [accuracy, excess])

    def prune(self, number: int) -> None:
        """Report a trial that is too hopeless to attack."""
        from optuna.trial import TrialState  # noqa: PLC0415

        self._study.tell(self._running.pop(number), state=TrialState.PRUNED)

    def fail(self, number: int, reason: str) -> None:
        """Report that a trial came to nothing, and why."""
        from optuna.trial import TrialState  # noqa: PLC0415

        trial = self._running.pop(number)
        trial.set_user_attr(_REASON, reason)
        self._study.tell(trial, state=TrialState.FAIL)

    @property
    def finished(self) -> list[tuple[Proposal, str | None]]:
        """All trials that ended, each with the reason if it failed."""
        return [
            (Proposal(t.number, _config(t.user_attrs)), t.user_attrs.get(_REASON))
            for t in self._study.get_trials(deepcopy=False)
            if t.state.is_finished() and _CONFIG in t.user_attrs and _TWIN not in t.user_attrs
        ]

    def _config_at(self, point: dict[str, Value]) -> TrainConfig:
        if self.defense == "vanilla":
            return self._config.vanilla
        return self._config.space.config_at(self._config.base, self.defense, point)

    @property
    def _open(self) -> bool:
        """Whether there is budget left."""
        from optuna.trial import TrialState  # noqa: PLC0415

        if self._grid:
            return bool(self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))
        return self._drawn < self._config.budget[self.defense]

    @property
    def _drawn(self) -> int:
        """How many trials were drawn, repeats included."""
        return sum(_CONFIG in t.user_attrs for t in self._study.get_trials(deepcopy=False))

    def _draw(self) -> Proposal | None:
        """A new trial; None if it only repeats an earlier one, whose result then counts for it."""
        self._study.sampler = _sampler(self._config, self._drawn)
        trial = self._study.ask(self._space)
        config = self._config_at(trial.params)
        twin = self._twin(config)
        self._running[trial.number] = trial
        if twin is None:
            trial.set_user_attr(_CONFIG, config.model_dump_json())
            return Proposal(trial.number, config)
        self._repeat(trial, twin)
        return None

    def _twin(self, config: TrainConfig) -> Any:
        """An earlier trial of the same config."""
        text = config.model_dump_json()
        trials = self._study.get_trials(deepcopy=False)
        return next((t for t in trials if t.user_attrs.get(_CONFIG) == text), None)

    def _repeat(self, trial: Trial, twin: Any) -> None:
        trial.set_user_attr(_CONFIG, twin.user_attrs[_CONFIG])
        trial.set_user_attr(_TWIN, twin.number)
        if twin.values:
            accuracy, excess = twin.values
            known = twin.user_attrs
            upper = known.get(_UPPER, excess)
            self.tell(trial.number, accuracy, excess, upper, known.get(_BITS))
        else:
            self.prune(trial.number)

    def _adopt(self) -> Iterator[Proposal]:
        """What a killed sweep left behind: its trials go on; one not yet drawn is drawn anew."""
        from optuna import Trial  # noqa: PLC0415
        from optuna.trial import TrialState  # noqa: PLC0415

        for left in self._study.get_trials(states=(TrialState.RUNNING,)):
            if _CONFIG in left.user_attrs and _TWIN not in left.user_attrs:
                self._running[left.number] = Trial(self._study, left._trial_id)
                yield Proposal(left.number, _config(left.user_attrs))
                continue
            self._study.tell(left.number, state=TrialState.FAIL)
            if fixed := left.system_attrs.get("fixed_params"):
                self._study.enqueue_trial(fixed)

    def _enqueue(self) -> None:
        """Queue the points of the grid, but for those that were queued before."""
        points: list[dict[str, Value]] = [{}]
        if self.defense != "vanilla":
            points = list(self._config.space.points(self.defense))
        trials = self._study.get_trials(deepcopy=False)
        known = {_key(t.system_attrs.get("fixed_params", {})) for t in trials}
        for point in points:
            if _key(point) not in known:
                self._study.enqueue_trial(point)


def _key(point: dict[str, Any]) -> str:
    return json.dumps(point, sort_keys=True)


def _config(attributes: dict[str, Any]) -> TrainConfig:
    return TrainConfig.model_validate_json(attributes[_CONFIG])


def _distribution(axis: Axis, whole: bool) -> BaseDistribution:
    from optuna import distributions  # noqa: PLC0415

    if axis.is_list:
        return distributions.CategoricalDistribution(axis.values)
    if whole:
        return distributions.IntDistribution(int(axis.low), int(axis.high))
    return distributions.FloatDistribution(axis.low, axis.high, log=axis.is_logarithmic)


def _sampler(config: SweepConfig, number: int) -> BaseSampler:
    """The sampler for one draw, seeded by its number: a sweep that went on draws nothing twice."""
    from optuna import samplers  # noqa: PLC0415

    seed = (config.base.seed * 1_000_003 + number) % 2**32
    if config.sampler == "tpe":
        return samplers.TPESampler(n_startup_trials=_STARTUP, seed=seed)
    if config.sampler == "nsga2":
        size = min(50, max(4, config.trials // 4))  # four generations or more
        return samplers.NSGAIISampler(population_size=size, seed=seed)
    return samplers.RandomSampler(seed=seed)
