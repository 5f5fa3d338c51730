"""mixcon audit."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor

from mixcon._files import check_writable
from mixcon.attacks import ATTACKS, Attack, strongest
from mixcon.audit import AuditPlan, Subject, run_audit, subjects_of
from mixcon.cli._allow import AllowCode, allow_typed
from mixcon.cli._console import audit_progress, console, interruptible, say, working
from mixcon.cli._data_dir import DataDir
from mixcon.cli._gate import Gate
from mixcon.cli._options import Accelerator
from mixcon.cli._output import Json, Quiet, print_json
from mixcon.cli._runs import common_data
from mixcon.data import LabeledSet, Splits
from mixcon.errors import ConfigError
from mixcon.reports import Figures, figures_of, markdown_table, verdict, write_figures
from mixcon.training import RunFolder

__all__ = ["audit", "report_on"]

_SECONDS = {"s": 1, "m": 60, "h": 3600}
_WORK = 0.95  # of the time; the rest is for the report


def audit(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Run folders of mixcon train, the undefended one first. Several that differ in "
            "nothing but the seed show how far chance moves the figures."
        ),
    ],
    attack: Annotated[
        list[str] | None,
        typer.Option(
            help=f"strongest, all, {', '.join(ATTACKS)}, or package.module:name of your own; "
            "repeat for several (default: strongest)"
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            help="How long the audit may take, as 90s, 10m or 1h: it does less in a fixed order "
            "(docs/attacks.md), and says so. Or 0.5x: half the steps of each attack."
        ),
    ] = None,
    victims: Annotated[int, typer.Option(min=1, help="How many test samples to attack.")] = 100,
    seed: Annotated[int, typer.Option(help="Draws the victims and all randomness.")] = 0,
    fail_above: Annotated[
        list[str] | None,
        typer.Option(
            help="Exit with code 1 unless the audit shows that no model leaks more, e.g. "
            "excess=0.3; for CI. Judged is the upper end of the 95 % interval, and likewise of the "
            "share of inputs that are named among others of their class. An audit that tried "
            "too little (--attack, --budget, --quick, fewer than 50 victims), whose attacks failed "
            "or whose model is at chance shows nothing, and fails too. bits=16 asks for a proof "
            "that a release tells no more. Repeat for both. The report is written anyway; code 2 "
            "is for audits that could not be run."
        ),
    ] = None,
    repeats: Annotated[
        int,
        typer.Option(
            min=1,
            help="How often each victim is released, noise drawn anew; the attacker averages, as "
            "over the frames of a camera.",
        ),
    ] = 1,
    secret: Annotated[
        list[str] | None,
        typer.Option(
            help="An attribute of the data, such as speaker: how well is it read from what leaves? "
            "Repeat for several."
        ),
    ] = None,
    wire: Annotated[
        Path | None,
        typer.Option(
            help="Attack what really crossed: a record of mixcon infer --record with --run and "
            "the same --victims and --seed."
        ),
    ] = None,
    edge: Annotated[
        Path | None, typer.Option(help="With --wire: the edge folder of the export that sent it.")
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="Default settings and pairwise metrics only; nothing is tuned or trained.",
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the report (default: RUN/audit of the last run)")
    ] = None,
    data_dir: DataDir = None,
    accelerator: Accelerator = "auto",
    allow_code: AllowCode = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Attack trained models, and report how much of the inputs comes back.

    The default is the strongest attacker: weights and data, every attack that applies, settings
    chosen on the attacker's own samples, the best result for each image. Interrupted, the same
    command goes on with the attack where it stopped.

    Example: mixcon audit runs/vanilla runs/m --fail-above excess=0.3
    """
    started = time.monotonic()
    allow_typed(*(attack or ()))
    length, allowed = _budget(budget)
    gate = Gate.of(fail_above or ())
    configs = [RunFolder(run).config for run in runs]
    folder = out or runs[-1] / "audit"
    check_writable(folder)
    with working(f"Reading {configs[0].data} ..."):
        data = common_data(configs, data_dir)
        subjects = subjects_of(runs, data, accelerator)
    attacks = _attacks(attack or ["strongest"], data, length)
    captured = _captured(wire, edge)
    if wire:
        _check_victims(wire, data.test, victims, seed)
    gate.warn(attacks, data.test.kind, victims, thorough=not quick)
    figures = report_on(
        subjects,
        data,
        attacks,
        victims,
        seed,
        folder,
        thorough=not quick,
        captured=captured,
        repeats=repeats,
        secrets=secret or (),
        seconds=None if allowed is None else max(1.0, allowed - (time.monotonic() - started)),
    )
    if as_json:
        print_json(_outcome(figures, folder))
    gate.judge(figures)


def _outcome(figures: Figures, folder: Path) -> dict[str, Any]:
    """What scripts ask an audit: what each model leaks, and why that may not be all."""
    found = [
        {
            "model": summary.model,
            "evidence": summary.evidence and summary.evidence.model_dump(mode="json"),
        }
        for summary in figures.models
    ]
    return {"report": folder / "report.json", "verdict": verdict(figures), "models": found}


def report_on(
    subjects: Sequence[Subject],
    data: Splits,
    attacks: Sequence[Attack[Any]],
    victims: int,
    seed: int,
    folder: Path,
    *,
    thorough: bool,
    captured: Tensor | None = None,
    repeats: int = 1,
    secrets: Sequence[str] = (),
    seconds: float | None = None,
) -> Figures:
    """Audit, write the report into the folder, and say on the console what it says.

    Of the `seconds` that this may take, some are left for the report.
    """
    advice = "Run the same command again to go on: finished attacks are kept."
    with interruptible(advice):
        with audit_progress() as on_progress:
            report, gallery = run_audit(
                subjects,
                data,
                attacks,
                victims=victims,
                seed=seed,
                thorough=thorough,
                keep=folder / "attacks",
                captured=captured,
                repeats=repeats,
                secrets=secrets,
                seconds=None if seconds is None else _WORK * seconds,
                on_plan=_tell,
                on_progress=on_progress,
            )
        with working("Writing the report ..."):
            figures = figures_of(report)
            page = write_figures(figures, gallery, folder)
    say(markdown_table(figures))
    for sentence in verdict(figures):
        console.print(sentence)
    say(f"\nReport: {page}")
    return figures


def _tell(plan: AuditPlan) -> None:
    """How long it takes, before it begins, and what is left out."""
    less = f"; for want of time {', '.join(plan.shortened)}" if plan.shortened else ""
    say(f"{plan.duration} on this machine, with {plan.victims} inputs{less}")


def _budget(text: str | None) -> tuple[float, float | None]:
    """A factor on the steps, and the seconds that all may take."""
    match = re.fullmatch(r"(\d+\.?\d*|\.\d+) ?(x|s|m|h)", text or "1x")
    number = float(match[1]) if match else 0.0
    if not match or not 0 < number < math.inf:
        raise ConfigError(
            f"expected --budget as a time, such as 90s, 10m or 1h, or as a factor on the steps of "
            f"the attacks, such as 0.5x, but got {text!r}"
        )
    return (number, None) if match[2] == "x" else (1.0, number * _SECONDS[match[2]])


def _attacks(names: list[str], data: Splits, budget: float) -> list[Attack[Any]]:
    kind = data.test.kind
    odd = [name for name in names if name not in ("strongest", "all") and not ATTACKS.has(name)]
    if odd:
        known = ", ".join(["strongest", "all", *ATTACKS])
        raise ConfigError(f"expected attacks out of {known}, but got {odd[0]!r}")
    chosen: dict[str, Attack[Any]] = {}
    for name in names:
        if name == "strongest":
            chosen |= {attack.name: attack for attack in strongest(kind, budget)}
        elif name == "all":
            fitting = [attack for attack in ATTACKS.values() if kind in attack.inputs]
            chosen |= {attack.name: attack().scaled(budget) for attack in fitting}
        else:
            own = ATTACKS.find(name)().scaled(budget)
            chosen[own.name] = own
    return list(chosen.values())


def _captured(wire: Path | None, edge: Path | None) -> Tensor | None:
    """The representations in a capture, as the contract of the export reads them."""
    if wire is None or edge is None:
        if wire or edge:
            raise ConfigError("expected --wire and --edge together, but got one of them")
        return None
    from mixcon.serving import read_capture, read_contract  # noqa: PLC0415  an extra
    from mixcon.serving.signing import DEFAULT_TRUST  # noqa: PLC0415

    if not wire.is_file():
        raise ConfigError(f"{wire}: expected a capture, but there is no such file")
    contract = read_contract(edge, "encoder", DEFAULT_TRUST)
    return torch.from_numpy(read_capture(wire.read_bytes(), contract))


def _check_victims(wire: Path, test: LabeledSet, victims: int, seed: int) -> None:
    """Refuse a record of other inputs: what they leak says nothing of these victims."""
    from mixcon.serving.capture import captured_inputs, hashes  # noqa: PLC0415

    sent = captured_inputs(wire.read_bytes())
    order = test.shuffled(torch.Generator().manual_seed(seed))[:victims]
    wanted = hashes(test.floats(order).numpy())
    odd = sum(a != b for a, b in zip(sent, wanted, strict=False))
    if odd:
        raise ConfigError(
            f"{wire}: expected a record of the victims of this audit, but {odd} of {len(sent)} "
            f"inputs are others; send them by mixcon infer --run RUN --victims {victims} --seed "
            f"{seed}"
        )
