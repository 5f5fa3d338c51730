"""Run attacks against split models, and measure what comes back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mixcon.attacks import Attack
from mixcon.audit.calibration import calibrate
from mixcon.audit.environment import command_line, environment_of
from mixcon.audit.model_audit import ModelAudit
from mixcon.audit.plan import CALIBRATION, OnPlan, fitted, left_out, plan_audit
from mixcon.audit.progress import OnProgress, Phases
from mixcon.audit.records import Gallery, ModelRecord, Report
from mixcon.audit.setup import Setup
from mixcon.audit.subject import Subject
from mixcon.data import Splits
from mixcon.errors import ConfigError, KnowledgeError
from mixcon.kinds import Kind
from mixcon.metrics import LeakageMeter, measure
from mixcon.split import SplitModel, check_steady

__all__ = ["run_audit"]

_RULES = 0.9  # share of the variance from which on one column decides alone
_THREAT = {
    "white-box": "The white-box attacks know the encoder's weights and the channel.",
    "query": "The query attacks may send inputs of their own through the device, and see z.",
    "query-free": "The query-free attacks know neither weights nor answers, only data of the kind.",
}


def run_audit(  # noqa: PLR0913  each is a choice that a caller may make
    subjects: Sequence[Subject],
    data: Splits,
    attacks: Sequence[Attack[Any]],
    *,
    victims: int = 100,
    seed: int = 0,
    meter: LeakageMeter | None = None,
    thorough: bool = False,
    keep: Path | None = None,
    captured: Tensor | None = None,
    repeats: int = 1,
    secrets: Sequence[str] = (),
    without: Sequence[str] = (),
    seconds: float | None = None,
    on_plan: OnPlan | None = None,
    on_progress: OnProgress = lambda _: None,
) -> tuple[Report, Gallery]:
    """Attack split models that were trained on the same data.

    The victims are test samples drawn by the seed. The attackers get what the models release of
    them and, where they need it, the encoder with its channel; never a victim itself. The training
    samples stand for the attacker's own data: on them settings are chosen and decoders trained.

    Args:
        subjects: the models, the undefended one first; each with a name of its own.
        data: what they were trained and are tested on.
        attacks: the attacks to run, each at most once; see `mixcon.attacks.strongest`.
        victims: how many test samples to attack, at least 1.
        seed: draws the victims, the channels' noise and the attacks' randomness.
        meter: what also measures perceptual similarity, recognition and re-identification.
        thorough: choose each attack's settings on auxiliary samples; look for label leakage, the
            nearest neighbor, signs of gradient masking, and the bound; prepare a meter if none is
            given.
        keep: a folder for finished attacks, from which an interrupted audit goes on.
        captured: representations of the victims, (N, ...), that really crossed a wire: attacked in
            place of what the model would release now; of one subject alone.
        repeats: how often each victim is released, noise drawn anew; the attacker averages. A
            camera sends frames.
        secrets: attributes of the data that are also read from z, see `read_secret`.
        without: phases of the audit, such as ``saturation``, that are left out where only what the
            attacks get is asked for; the record says so.
        seconds: how long it may take. What does not fit is left out or cut short, see `fitted`, and
            the clock stops a phase after its share, between two of its steps; the record says so.
            Then the same seed need not give the same numbers.
        on_plan: told what will be done, and about how long that takes, before it is.
        on_progress: told at the start and at every step of each phase.

    Returns:
        What was measured, and the victims beside their reconstructions.

    Raises:
        ConfigError: fewer than one victim or more than there are test samples; a name or an
            attack given twice; an attribute that the data lacks; captured representations of other
            victims or several models.
        KnowledgeError: an attack does not fit such inputs.
        CutError: a half gives no tensor, or remembers what it was asked before.

        All of them come before any work is done, as do those of metrics that cannot measure
        such inputs.

    Example:
        >>> from mixcon import data, models
        >>> from mixcon.attacks import Rmle
        >>> subject = Subject(models.build("lenet5", shape=(1, 28, 28), classes=10))
        >>> report, _ = run_audit([subject], data.load("digits"), [Rmle(steps=5)], victims=4)
        >>> len(report.models[0].attacks[0].leakage["ssim"])
        4
    """
    _check(subjects, data, attacks, victims)
    if unknown := [name for name in secrets if name not in data.test.attributes]:
        known = ", ".join(data.test.attributes) or "none"
        raise ConfigError(
            f"expected secrets out of the attributes of {data.test.name} ({known}), but got "
            f"{unknown[0]!r}"
        )
    if captured is not None and (len(subjects) > 1 or len(captured) != victims):
        raise ConfigError(
            f"expected one model and {victims} captured representations, one a victim, but got "
            f"{len(subjects)} and {len(captured)}"
        )
    started, environment = time.monotonic(), environment_of(command_line(), seed)
    timed = seconds is not None or on_plan is not None  # else nobody asks how long it takes
    judged = thorough and meter is None
    plan = plan_audit(
        subjects,
        data,
        attacks,
        victims,
        thorough=thorough,
        judged=judged,
        measured=timed,
        secrets=secrets,
    )
    for name in without:
        plan = left_out(plan, name)
    if seconds is not None:
        plan = fitted(plan, seconds)
    if on_plan:
        on_plan(plan)
    left = None if seconds is None else seconds - (time.monotonic() - started)
    with Phases(plan.weights, on_progress, left) as phases:
        setup = Setup.of(
            data,
            plan.victims,
            seed,
            meter=meter,
            thorough=thorough,
            begin=phases.begin,
            length=plan.length,
            omitted=plan.omitted,
            secrets=secrets,
        )
        shown = setup.victims
        gallery = Gallery(setup.originals, shown.labels, shown.classes, vocabulary=shown.vocabulary)
        crossed = None if captured is None else captured[: plan.victims]
        records = []
        for subject in subjects:
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                audited = ModelAudit(subject, setup, keep, crossed, phases.begin, repeats)
                record, found = audited.run(plan.attacks)
            records.append(record)
            gallery.reconstructions[subject.name] = found
        calibrated = thorough and CALIBRATION not in plan.omitted
        device = next(subjects[0].model.parameters()).device
        calibration = calibrate(setup, phases.begin, device) if calibrated else []
        finish = phases.begin("", "summary")
        shortened = (*plan.shortened, *_unmeasured(setup), *_stopped(phases))
        records = [_limited(record, seconds, shortened) for record in records]
        report = Report(
            title=_title(len(subjects), data.test.name),
            environment=environment,
            threat_model=_threat_model(plan.attacks, len(setup.auxiliary)),
            models=records,
            calibration=calibration,
            notes=setup.meter.notes if setup.meter else {},
            ceiling={k: sum(v) / len(v) for k, v in setup.compared(setup.originals).items()},
        )
        finish(1.0)
    return report, gallery


def _title(models: int, data: str) -> str:
    several = f"What {models} split models on {data} give away"
    return f"What a split model on {data} gives away" if models == 1 else several


def _unmeasured(setup: Setup) -> list[str]:
    """What these data keep an audit from seeing, in words."""
    said = []
    if setup.thorough and setup.meter is not None and not setup.meter.same_class:
        said.append("no re-identification in class, with hardly a test sample beside the victims")
    if setup.victims.kind is Kind.VECTOR:
        shares = setup.originals.double().var(0, correction=0)
        largest, column = (shares / shares.sum().clamp_min(1e-300)).max(0)
        if len(shares) > 1 and largest > _RULES:
            said.append(
                f"nothing of the columns but number {int(column)}, which makes up {largest:.0%} of "
                "the squared error (bring them to one scale)"
            )
    return said


def _stopped(phases: Phases) -> list[str]:
    """What the clock stopped, in words."""
    names = dict.fromkeys(phase for _, phase in phases.cut)
    return [
        f"{', '.join(names)} stopped by the clock, so that the same command need not give the "
        "same numbers"
    ] * bool(names)


def _limited(record: ModelRecord, seconds: float | None, shortened: Sequence[str]) -> ModelRecord:
    update = {"seconds": seconds, "shortened": list(shortened)}
    effort = record.effort.model_copy(update=update) if record.effort else None
    return record.model_copy(update={"effort": effort})


def _check(
    subjects: Sequence[Subject], data: Splits, attacks: Sequence[Attack[Any]], victims: int
) -> None:
    for each in subjects:
        if not isinstance(each, Subject) or not isinstance(each.model, SplitModel):
            got = f"Subject({_type(each.model)})" if isinstance(each, Subject) else _type(each)
            raise ConfigError(
                f"expected models such as Subject(split_model(net, at='relu')), but got {got}"
            )
    for attack in attacks:
        if not isinstance(attack, Attack):
            raise ConfigError(f"expected attacks such as Decoder(), but got {attack!r}")
    for what, names in (
        ("models", [subject.name for subject in subjects]),
        ("attacks", [attack.name for attack in attacks]),
    ):
        if len(set(names)) != len(names) or (what == "models" and not names):
            raise ConfigError(f"expected {what} of different names, but got {', '.join(names)}")
    if not 1 <= victims <= len(data.test):
        raise ConfigError(
            f"expected between 1 and {len(data.test)} victims, the test samples of "
            f"{data.test.name}, but got {victims}"
        )
    kind = data.test.kind
    unfit = [attack.name for attack in attacks if kind not in attack.inputs]
    if unfit:
        raise KnowledgeError(
            f"expected attacks on {kind.plural}, but got {', '.join(unfit)}; leave it out"
        )
    few = data.test.floats(slice(2))
    measure(few, few)
    for subject in subjects:
        _check_types(subject)
        try:
            check_steady(subject.model, few.to(next(subject.model.parameters())))
        except RuntimeError as error:  # torch says what did not fit in its own words
            raise ConfigError(
                f"expected {subject.name} to take samples of {data.test.name}, of shape "
                f"{tuple(few.shape[1:])}, but got: {str(error).splitlines()[0]}"
            ) from error


def _check_types(subject: Subject) -> None:
    """Samples are float32, and what is released is compared in it."""
    weights = list(subject.model.named_parameters())
    other = [f"{of.dtype} ({name})" for name, of in weights if of.dtype != torch.float32]
    if other or not weights:
        raise ConfigError(
            f"expected {subject.name} with float32 weights, but got {(*other, 'none')[0]}; audit "
            "model.float(), which tells no less"
        )


def _type(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__


def _threat_model(attacks: Sequence[Attack[Any]], auxiliary: int) -> list[str]:
    accesses = dict.fromkeys(attack.needs.access for attack in attacks)
    return [
        "The attacker sits in the cloud, runs the head and sees everything that crosses the wire.",
        *(_THREAT[access] for access in accesses),
        f"The attacker owns {auxiliary:,} training samples, but no victim.",
    ]
