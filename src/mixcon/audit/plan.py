"""The plan of an audit: what it does, how long that takes, and what it leaves out to fit a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import prod
from statistics import fmean
from typing import Any

from mixcon._memory import at_once
from mixcon.attacks import Attack, RmlePaper, RmlePaperVector
from mixcon.audit.choice import MORE
from mixcon.audit.costs import Costs, Load, attack_seconds, measure_costs
from mixcon.audit.setup import Setup, scored_of
from mixcon.audit.subject import Subject
from mixcon.data import Splits

__all__ = [
    "CALIBRATION",
    "CHOICE",
    "AuditPlan",
    "OnPlan",
    "Work",
    "expected_seconds",
    "fitted",
    "left_out",
    "plan_audit",
]

CALIBRATION = "calibration"
"""What stands for the model while devices of known leakage are attacked."""

CHOICE = "choice"
"""Attacks that may be the best are run on more of the attacker's own samples."""

_MARGIN = 0.8  # of the time that the estimate may fill
_PAPER = (RmlePaper, RmlePaperVector)
_EXAMINED = 10_000  # samples that pass the device for neighbors and probes
_GUESS = 240 * 48  # steps of the search for a guess, times the images it is compared with
_UNIT = 128 * 600  # inputs that train a recognizer, or a probe

# What is given up for want of time, in this order, until the rest fits.
_LADDER: tuple[tuple[str, float | str], ...] = (
    ("steps", 0.5),
    ("without", "masking"),
    ("without", "query-free"),
    ("without", "query"),
    ("without", "gan-decoder"),
    ("without", CHOICE),
    ("without", "saturation"),
    ("steps", 0.25),
    ("without", "deep-prior"),
    ("without", "recognizer"),
    ("without", "gauss-newton"),
    ("victims", 50),
    ("without", "generative-prior"),
    ("without", "rmle-paper"),
    ("without", "calibration"),
    ("without", "token-search"),
    ("steps", 0.125),
    ("without", "refined"),
    ("without", "bound"),
    ("without", "label leakage"),
    ("victims", 25),
    ("without", "averaged"),
    ("without", "posterior"),
    ("steps", 1 / 16),
    ("victims", 10),
    ("steps", 1 / 32),
    ("steps", 1 / 64),
)


@dataclass(frozen=True)
class Work:
    """What is to be audited.

    Attributes:
        models: their names.
        shape: of one input.
        auxiliary: how many samples the attacker has.
        test: how many test samples there are.
        classes: how many.
        scored: auxiliary samples that are attacked as well, to score the attacks.
        thorough: whether the audit is.
        judged: whether a recognizer is to be trained.
        secrets: attributes that are read from z.
    """

    models: tuple[str, ...]
    shape: tuple[int, ...]
    auxiliary: int
    test: int
    classes: int
    scored: int
    thorough: bool
    judged: bool
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class AuditPlan:
    """What an audit does.

    Attributes:
        work: what there is to do.
        attacks: those that are run.
        victims: how many inputs are attacked.
        costs: of this machine.
        length: so many times the steps that were asked for.
        omitted: attacks and measurements that are left out.
    """

    work: Work
    attacks: tuple[Attack[Any], ...]
    victims: int
    costs: Costs
    length: float = 1.0
    omitted: tuple[str, ...] = ()

    @property
    def weights(self) -> dict[tuple[str, str], float]:
        """About the seconds of each phase of each model, in order."""
        each = dict(self._phases())
        found = {("", "preparation"): 2.0}
        if self.work.judged and "recognizer" not in self.omitted:
            found["", "recognizer"] = self._recognizer
        found |= {(model, name): each[name] for model in self.work.models for name in each}
        if self.work.thorough and CALIBRATION not in self.omitted:
            found[CALIBRATION, "attacks"] = self._calibration
        return found | {("", "summary"): 1.0}

    @property
    def seconds(self) -> float:
        """About how long all of it takes on this machine."""
        return sum(self.weights.values())

    @property
    def duration(self) -> str:
        """The same in words, such as ``about 4 minutes``."""
        seconds = self.seconds
        if seconds < 90:
            return f"about {max(1, round(seconds))} seconds"
        if seconds < 5400:
            return f"about {round(seconds / 60)} minutes"
        return f"about {seconds / 3600:.1f} hours"

    @property
    def shortened(self) -> tuple[str, ...]:
        """What is not done in full, in words."""
        steps = (f"{self.length:g} of the steps",) if self.length < 1 else ()
        return (*steps, *(f"no {name}" for name in self.omitted))

    def _phases(self) -> Iterator[tuple[str, float]]:
        costs, work, load = self.costs, self.work, self._load
        found = {
            attack.name: attack_seconds(attack, costs, load, tuned=work.thorough)
            for attack in self.attacks
        }
        yield from found.items()
        if work.scored and len(found) > 1 and CHOICE not in self.omitted:
            yield CHOICE, self._choice
        yield "accuracy", 1 + work.test * costs.release
        yield "floors", 1 + min(_EXAMINED, work.auxiliary) * costs.release
        yield from ((f"secret {name}", 8.0) for name in work.secrets)
        if not work.thorough:
            return
        groups = work.classes * max(1, len(self.attacks) - 3) + 1
        masked = [attack for attack in self.attacks if attack.name == "rmle"]
        sixteen = load._replace(images=16)
        examinations = {
            "guesses": 1
            + work.auxiliary * costs.release
            + self.length * _GUESS * groups * costs.likeness,
            "bits": 3 + at_once(5000, work.shape, numbers=2**24) * costs.release,
            "label leakage": 7.0,
            "bound": 64 * self.victims * costs.gradient,
            "masking": sum(2.25 * attack_seconds(a, costs, sixteen, tuned=False) for a in masked),
            "saturation": max(found.values(), default=0.0) / 2,
        }
        yield from ((k, v) for k, v in examinations.items() if k not in self.omitted)

    @property
    def _choice(self) -> float:
        """As if three attacks of the usual cost were run on more samples, already fitted."""
        more = self._load._replace(images=MORE)
        finding = (
            (1 - attack.fitting) * attack_seconds(attack, self.costs, more, tuned=False)
            for attack in self.attacks
        )
        return 1 + 3 * fmean(finding)

    @property
    def _load(self) -> Load:
        return Load(self.work.shape, self.victims + self.work.scored, self.work.auxiliary)

    @property
    def _recognizer(self) -> float:
        pixels = prod(self.work.shape[-2:])
        return _UNIT * self.costs.lesson * min(1.0, 64 * 64 / pixels)

    @property
    def _calibration(self) -> float:
        lessons = 120 * at_once(128, self.work.shape) * self.costs.lesson
        likenesses = 60 * 32 * self._load.images * self.costs.likeness
        guesses = self.length * _GUESS * (self.work.classes + 1) * self.costs.likeness
        return 3 * (lessons + likenesses + guesses)


def expected_seconds(attacks: Sequence[Attack[Any]], *, thorough: bool) -> float:
    """About how long the audit of one model takes on two cores, on 28 x 28 pixels, all told."""
    work = Work(("",), (1, 28, 28), 10_000, 2000, 10, 0, thorough=thorough, judged=False)
    return AuditPlan(work, tuple(attacks), 100, Costs()).seconds


def plan_audit(
    subjects: Sequence[Subject],
    data: Splits,
    attacks: Sequence[Attack[Any]],
    victims: int,
    *,
    thorough: bool,
    judged: bool,
    measured: bool,
    secrets: Sequence[str] = (),
) -> AuditPlan:
    """The whole of an audit, with what work costs here if that is measured; see `Work`."""
    own = Setup.own(data.train)
    work = Work(
        models=tuple(subject.name for subject in subjects),
        shape=data.test.shape,
        auxiliary=own,
        test=len(data.test),
        classes=len(data.test.classes),
        scored=scored_of(own) if thorough else 0,
        thorough=thorough,
        judged=judged,
        secrets=tuple(secrets),
    )
    samples = data.test.floats(slice(128))
    costs = measure_costs(subjects[0].model, samples) if measured else Costs()
    return AuditPlan(work, tuple(attacks), victims, costs)


OnPlan = Callable[[AuditPlan], None]


def fitted(plan: AuditPlan, seconds: float) -> AuditPlan:
    """The plan, with as much given up as makes it fit, in a fixed order.

    First the steps are halved and what only explains the figures is left out, then attacks that
    seldom find most, then victims. The last attack stays. What still does not fit is stopped by the
    clock.
    """
    asked = plan
    for what, value in _LADDER:
        if plan.seconds <= _MARGIN * seconds:
            break
        plan = left_out(plan, str(value)) if what == "without" else plan
        plan = replace(plan, victims=min(plan.victims, int(value))) if what == "victims" else plan
        if what == "steps":
            by_name = {attack.name: attack for attack in asked.attacks}
            attacks = tuple(_scaled(by_name[a.name], float(value)) for a in plan.attacks)
            plan = replace(plan, attacks=attacks, length=float(value))
    return plan


def left_out(plan: AuditPlan, name: str) -> AuditPlan:
    """The plan without an attack or a measurement; the same where it has none of that name."""
    names = [attack.name for attack in plan.attacks]
    if name in names and len(names) > 1:
        kept = tuple(attack for attack in plan.attacks if attack.name != name)
        return replace(plan, attacks=kept, omitted=(*plan.omitted, name))
    measured = {phase for _, phase in plan.weights} | {model for model, _ in plan.weights}
    if name in measured - set(names):
        return replace(plan, omitted=(*plan.omitted, name))
    return plan


def _scaled(attack: Attack[Any], length: float) -> Attack[Any]:
    return attack if isinstance(attack, _PAPER) else attack.scaled(length)
