"""Theorem B.10 at work: networks made from random formulas, a solver against a gradient attack."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, median
from typing import Any, NamedTuple

import torch

from mixcon._files import write_whole
from mixcon.paper._experiment import (
    Check,
    Experiment,
    Measured,
    Result,
    Row,
    RunOptions,
    Scale,
    Step,
)
from mixcon.paper._exponents import exponents_by_ratio, outgrown
from mixcon.paper.inversion import GradientInversion, invert_by_gradient
from mixcon.reports.sheets import Line, LinePanel, line_panels
from mixcon.theory import (
    ReductionNetwork,
    guaranteed_fraction,
    random_e3sat,
    solve,
    stated_distance,
)

__all__ = ["HARDNESS"]

_BOUND = 30  # B: random formulas of up to 5 clauses a variable hardly ever come near
_STARTS = 64  # of an attack, in one batch
_THRESHOLD = 4.27  # clauses a variable, where random 3SAT turns unsatisfiable
_RATIOS = (2.0, 3.0, 3.5, 4.0, _THRESHOLD, 4.5, 5.0)
_DENSE = 4  # clauses a variable
_COLORS = ("#4f9da6", "#588157", "#3b5b92", "#c8553d", "#8e6c8a", "#d8973c")

Record = dict[str, Any]


class _Plan(NamedTuple):
    variables: tuple[int, ...]
    ratios: tuple[float, ...]
    rounds: int
    steps: int


_PLANS: dict[Scale, _Plan] = {
    "smoke": _Plan((6, 12), (2.0, _THRESHOLD), 1, 50),
    "small": _Plan((10, 20, 40, 80, 160), _RATIOS, 4, 300),
    "full": _Plan((10, 20, 40, 80, 160, 320), _RATIOS, 16, 300),
}


def _measure(options: RunOptions) -> Measured:
    plan = _PLANS[options.scale]
    cases = [(n, ratio, s) for n in plan.variables for ratio in plan.ratios for s in options.seeds]
    records = [_kept(part, plan, *case) for case, part in options.parts(cases)]
    exponents = exponents_by_ratio(records, _STARTS)
    return Measured(
        rows=[row for n in plan.variables for row in _rows(n, plan.ratios, _of(records, n=n))],
        checks=[*_checks(records), *outgrown(exponents)],
        notes=[
            "The paper has no such experiment. The theorem is about the worst case and B >= 10^7; "
            f"these are random instances of E3SAT({_BOUND}).",
            f"The gradient attack is rmle from random starts, {_STARTS} at a time, up to "
            f"{_STARTS * plan.rounds}, {plan.steps} steps each, on outputs divided by their "
            f"standard deviation; the plain one, on outputs as they are, gets {_STARTS}. It stops "
            "after the first batch with a success. Times are processor times.",
            "Success is a point that rounds to a satisfying assignment. Only formulas that the "
            "solver found satisfiable are attacked.",
            "Work is counted in starts (attack, maximum likelihood) and in conflicts plus one "
            "(solver, least squares of the logarithm), over all n; a ratio at which the attack "
            "always or never succeeds has no exponent.",
            *(
                f"{ratio:g} clauses a variable: the attack's work grows as {attack}; the "
                f"solver's as {solver}."
                for ratio, (attack, solver) in exponents.items()
            ),
        ],
        data={
            "solver": f"Glucose 4 of python-sat {version('python-sat')}",
            "cells": list(_cells(plan, records)),
            "exponents": [
                {"ratio": ratio, "attack": asdict(attack), "solver": asdict(solver)}
                for ratio, (attack, solver) in exponents.items()
            ],
            "instances": records,
        },
        seconds=sum(map(_seconds, records)),
    )


def _kept(options: RunOptions, plan: _Plan, n: int, ratio: float, seed: int) -> Record:
    """The record of one formula, from an earlier run if there is one."""
    what = f"n = {n}, {ratio:g} clauses a variable"
    options.on_progress(Step(what, 0.0))
    path = _path(options.work, plan, n, ratio, seed)
    if not path.is_file():
        write_whole(path, json.dumps(_attacked(plan, n, ratio, seed)) + "\n")
    record: Record = json.loads(path.read_text(encoding="utf-8"))
    options.on_progress(Step(what, 1.0))
    return record


def _path(work: Path, plan: _Plan, n: int, ratio: float, seed: int) -> Path:
    return work / "hardness" / f"{n}-{ratio:g}-{seed}-{plan.rounds}x{plan.steps}.json"


def _attacked(plan: _Plan, n: int, ratio: float, seed: int) -> Record:
    cnf = random_e3sat(n, round(ratio * n), bound=_BOUND, seed=seed)
    solved = solve(cnf)
    record: Record = {"n": n, "ratio": ratio, "seed": seed, "satisfiable": solved.satisfiable}
    record["solver"] = {"seconds": solved.seconds, "conflicts": solved.conflicts}
    if solved.satisfiable:
        network = ReductionNetwork(cnf, bound=_BOUND, dtype=torch.float32)
        found = invert_by_gradient(network, rounds=plan.rounds, steps=plan.steps, seed=seed)
        plain = invert_by_gradient(
            network, standardize=False, rounds=1, steps=plan.steps, seed=seed
        )
        record |= {"gradient": _outcome(network, found), "plain": _outcome(network, plain)}
    return record


def _seconds(record: Record) -> float:
    """Processor time of one formula, whenever it was worked on."""
    parts = [record[name] for name in ("solver", "gradient", "plain") if name in record]
    return sum(float(part["seconds"]) for part in parts)


def _outcome(network: ReductionNetwork, found: GradientInversion) -> Record:
    distance = network.distance(found.x[None]).item()
    share = 1 - found.unsatisfied / len(network.cnf.clauses)
    within = distance <= stated_distance(network)
    return {
        "seconds": found.seconds,
        "starts": found.starts,
        "distance": distance,
        "unsatisfied": found.unsatisfied,
        "guessed": found.guessed,
        "sound": share >= guaranteed_fraction(network) if within else None,
    }


def _cells(plan: _Plan, records: list[Record]) -> Iterator[Record]:
    """Counts and medians for each n and ratio; None where nothing was satisfiable."""
    for n in plan.variables:
        for ratio in plan.ratios:
            cell = _of(records, n=n, ratio=ratio)
            attacked = [r["gradient"] for r in cell if r["satisfiable"]]
            yield {
                "n": n,
                "ratio": ratio,
                "formulas": len(cell),
                "satisfiable": len(attacked),
                "inverted": sum(a["unsatisfied"] == 0 for a in attacked),
                "seconds": median([a["seconds"] for a in attacked]) if attacked else None,
                "solver_seconds": median([r["solver"]["seconds"] for r in cell]),
            }


def _of(records: list[Record], **wanted: float) -> list[Record]:
    return [r for r in records if all(r[key] == value for key, value in wanted.items())]


def _rows(n: int, ratios: tuple[float, ...], records: list[Record]) -> list[Row]:
    """One value a formula: 100 if its network was inverted, else 0; times."""
    attacked = [r for r in records if r["satisfiable"]]
    columns = {
        **{
            f"inverted at {ratio:g} clauses a variable (%)": (
                [100.0 * _inverted(r) for r in _of(attacked, ratio=ratio)],
                0,
            )
            for ratio in ratios
        },
        "attack, processor time (s)": ([r["gradient"]["seconds"] for r in attacked], 2),
        "solver, processor time (ms)": ([1000 * r["solver"]["seconds"] for r in records], 2),
    }
    return [
        Row(setting=f"n = {n}", quantity=quantity, ours=values, places=places)
        for quantity, (values, places) in columns.items()
    ]


def _checks(records: list[Record]) -> list[Check]:
    attacked = [r for r in records if r["satisfiable"]]
    found = [r[attack] for r in attacked for attack in ("gradient", "plain")]
    sizes = sorted({r["n"] for r in attacked})
    return [
        Check(
            claim="The solver decides each formula.",
            holds=[r["satisfiable"] is not None for r in records],
            measured=f"The slowest took {max(r['solver']['seconds'] for r in records):.2g} s.",
        ),
        Check(
            claim=f"For each n the attack inverts a smaller share of the networks from {_DENSE} "
            "clauses a variable on than below.",
            holds=[_gets_harder(_of(attacked, n=n)) for n in sizes],
        ),
        Check(
            claim="Without standardized outputs the attack finds nothing better than the best of "
            "its starts, rounded.",
            holds=[r["plain"]["unsatisfied"] >= r["plain"]["guessed"] for r in attacked],
        ),
        Check(
            claim="What an attack finds within sqrt(m2) / (60 B) of the target satisfies as many "
            "clauses as the proof guarantees.",
            holds=[outcome["sound"] for outcome in found if outcome["sound"] is not None],
        ),
    ]


def _gets_harder(attacked: list[Record]) -> bool:
    sparse = [_inverted(r) for r in attacked if r["ratio"] < _DENSE]
    dense = [_inverted(r) for r in attacked if r["ratio"] >= _DENSE]
    return bool(sparse and dense) and fmean(dense) < fmean(sparse)


def _inverted(record: Record) -> bool:
    return bool(record["gradient"]["unsatisfied"] == 0)


def _draw(result: Result) -> dict[str, bytes]:
    cells = result.data["cells"]
    sizes = sorted({cell["n"] for cell in cells})
    success, seconds = [], []
    for n, color in zip(sizes, _COLORS, strict=False):
        row = [cell for cell in cells if cell["n"] == n]
        ratios = [cell["ratio"] for cell in row]
        shares = [_percent(cell["inverted"], cell["satisfiable"]) for cell in row]
        success.append(Line(f"n = {n}", ratios, shares, color))
        spent = [math.nan if cell["seconds"] is None else cell["seconds"] for cell in row]
        seconds.append(Line(f"n = {n}", ratios, spent, color))
        solver = [cell["solver_seconds"] for cell in row]
        seconds.append(Line(f"n = {n}, SAT solver", ratios, solver, color, dashed=True))
    axis = "clauses a variable"
    panels = [
        LinePanel("Networks inverted by the gradient attack", axis, "%", success, _THRESHOLD),
        LinePanel("Median processor time", axis, "seconds", seconds, _THRESHOLD, logarithmic=True),
    ]
    return {"hardness.svg": line_panels(panels)}


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else math.nan


HARDNESS = Experiment(
    name="hardness",
    title="Theorem B.10: networks made from formulas, a SAT solver against a gradient attack",
    scales={
        "smoke": "n = 6 and 12, 2 ratios",
        "small": "n = 10 to 160, 7 ratios of clauses to variables, up to 256 starts",
        "full": "n = 10 to 320, 7 ratios of clauses to variables, up to 1024 starts",
    },
    seeds={"smoke": 2, "small": 20, "full": 50},
    measure=_measure,
    draw=_draw,
)
