"""Evidence: what an audit found and how hard it tried, which is all that a gate judges by.

It needs no torch, so that servers and devices can judge as well as the audit itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ConfigDict

from mixcon.errors import ConfigError

__all__ = ["MIN_VICTIMS", "Evidence", "check_limit", "slack", "weaknesses"]

MIN_VICTIMS = 50
"""So many attacked inputs at least: an interval over fewer is narrower than what it stands for."""


_TOLERANCE = 0.02


def slack(interval: tuple[float, float]) -> float:
    """How far beyond its interval an excess may truly lie before the audit counts as wrong.

    A 95 % interval misses one time in twenty by chance. Half of its half on either side makes about
    three standard errors, which chance hardly ever misses; a narrow one gets 0.02.
    """
    low, high = interval
    return max(_TOLERANCE, (high - low) / 4)


class Evidence(BaseModel):
    """What one audit found out about one model.

    Attributes:
        attacks: names of the attacks that were run.
        victims: how many inputs were attacked.
        metric: the metric of the next three.
        leakage: mean over the victims of the best single attack, chosen on auxiliary samples; of
            the strongest per victim where `guess` is None.
        floor: likewise of the best single guess from the class alone; of the class mean.
        excess: how far `leakage` goes from `floor` (0) to an exact copy (1).
        accuracy: share of test samples classified correctly, in [0, 1].
        interval: 95 % bootstrap interval of `excess` over the victims; None with one victim, or
            unknown.
        thorough: whether the attacks' settings were chosen; None if unknown, as in audits from
            before this was recorded.
        budget: so many times its default steps the least of the strongest attacks had.
        missing: those of the strongest attacks that were not run with their own settings.
        shortened: what was not done in full, for want of time or otherwise, in words.
        chance: the accuracy that a guess reaches with luck; None if unknown.
        guess: the guess that `floor` stands for; None where it is the class mean alone.
        per_image: excess of the strongest attack per victim over the best of as many guesses.
        per_image_interval: its 95 % bootstrap interval.
        named: how many more of the inputs an attack names among others of their class than a
            guess, as a share; None where that was not measured.
        named_interval: its 95 % bootstrap interval.
        saturated: whether more steps and other attacks gain nothing; None if not looked at.
        maximal_leakage: bits that are proved of the release; None where there is no bound.
        overlooked: an attack that gets far more of the victims than the one that was chosen on the
            attacker's own samples, which then do not speak for the victims.
        miscalibrated: what the audit measured wrongly where the right value is known, in clauses.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    attacks: tuple[str, ...]
    victims: int
    metric: str
    leakage: float
    floor: float
    excess: float
    accuracy: float
    interval: tuple[float, float] | None = None
    thorough: bool | None = None
    budget: float | None = None
    missing: tuple[str, ...] = ()
    shortened: tuple[str, ...] = ()
    chance: float | None = None
    guess: str | None = None
    per_image: float | None = None
    per_image_interval: tuple[float, float] | None = None
    named: float | None = None
    named_interval: tuple[float, float] | None = None
    saturated: bool | None = None
    maximal_leakage: float | None = None
    overlooked: str | None = None
    miscalibrated: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the attacks failed: they got less than a guess, by more than chance explains."""
        return self.interval is not None and self.interval[1] + slack(self.interval) < 0

    @property
    def tells_apart(self) -> bool:
        """Whether more inputs are named among others of their class than chance explains."""
        return self.named_interval is not None and self.named_interval[0] > 0

    @property
    def guesses(self) -> bool:
        """Whether the model cannot be told from one that guesses."""
        return self.chance is not None and self.accuracy <= self.chance

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why inputs may leak more than was found, in clauses: `flaws`, and what is not known."""
        open_end = ("stronger attacks may exist",) if self.saturated is False else ()
        return (*self.flaws, *open_end)

    @property
    def flaws(self) -> tuple[str, ...]:
        """Why the audit is no proof that the inputs are hidden; these close a gate."""
        return tuple(self._flaws())

    def objections(self, limit: float) -> tuple[str, ...]:
        """Why a gate does not open, in clauses; none if it does.

        Args:
            limit: largest excess leakage that the upper end of the interval may reach; so may that
                of the share of inputs that are named in their class, where it is not chance.

        Raises:
            ConfigError: the limit is no finite number.
        """
        check_limit(limit)
        return (*self._leaks(limit), *self.flaws)

    def unproved(self, max_bits: float) -> tuple[str, ...]:
        """Why a release is not proved to tell at most so many bits, in a clause; none if it is.

        A proof holds however little the audit tried.
        """
        bits = self.maximal_leakage
        if bits is None:
            return ("nothing is proved of what its release tells",)
        if not bits <= max_bits:
            return (f"its release is proved to tell at most {bits:.1f} bits",)
        return ()

    @property
    def _not_asked_for(self) -> list[str]:
        """Attacks that are missing, but for those that were left out for want of time."""
        return [name for name in self.missing if f"no {name}" not in self.shortened]

    def _leaks(self, limit: float) -> Iterator[str]:
        yield from _above(limit, "its excess leakage may be {:.3f}", self.excess, self.interval)
        if self.named is not None and self.tells_apart:
            clause = "it may name {:.3f} of the inputs among others of their class"
            yield from _above(limit, clause, self.named, self.named_interval)

    def _flaws(self) -> Iterator[str]:
        numbers = (self.leakage, self.floor, self.excess, self.accuracy, *(self.interval or ()))
        if not all(map(math.isfinite, numbers)):
            yield f"it has numbers that are not finite ({self.excess} as excess leakage)"
        if self.guesses:
            yield (
                f"the model is at chance: it classifies {100 * self.accuracy:.1f} % correctly, "
                f"and guessing gets up to {100 * (self.chance or 0):.1f} %"
            )
        if self.failed and self.interval:
            low, high = self.interval
            yield (
                f"its attacks failed: the excess leakage, {self.excess:.2f} [{low:.2f}, "
                f"{high:.2f}], lies below 0, so they got less than a guess from the class alone"
            )
        if self.guess is None:
            yield "its floor is the class mean alone, which is too low"
        if self.overlooked:
            yield (
                f"{self.overlooked} gets far more than the attack that the attacker's own samples "
                "chose: the model treats those in another way than the inputs that were attacked"
            )
        yield from self.miscalibrated
        yield from weaknesses(
            self.victims, thorough=self.thorough, budget=self.budget, missing=self._not_asked_for
        )
        if self.shortened:
            yield f"it was not done in full: {', '.join(self.shortened)}"


def _above(
    limit: float, clause: str, value: float, interval: tuple[float, float] | None
) -> Iterator[str]:
    """That the upper end of an interval is above a limit, if it is."""
    high = interval[1] if interval else value
    if not high <= limit:
        yield (
            f"{clause.format(high)}, the upper end of the 95 % interval around {value:.3f}, which "
            f"is above {limit:g}"
        )


def weaknesses(
    victims: int, *, thorough: bool | None, budget: float | None, missing: Sequence[str]
) -> Iterator[str]:
    """What an audit does less than the full one, in clauses; arguments as in `Evidence`."""
    if not victims >= MIN_VICTIMS:
        yield f"it attacked {victims} inputs, and {MIN_VICTIMS} are the least (--victims)"
    if thorough is None or budget is None:
        yield "it does not say how hard it tried, as one by an earlier version of mixcon"
        return
    if missing:
        yield f"it left out {', '.join(missing)} of the strongest attacks (--attack)"
    if not budget >= 1:
        yield f"its attacks got {budget:.2g} of their steps (--budget)"
    if not thorough:
        yield "it chose no settings for its attacks (--quick)"


def check_limit(limit: float) -> None:
    """Refuse a limit that nothing can be above.

    Raises:
        ConfigError: it is no finite number.
    """
    if not math.isfinite(limit):
        raise ConfigError(
            f"expected a finite number as largest excess leakage, such as 0.3, but got {limit}"
        )
