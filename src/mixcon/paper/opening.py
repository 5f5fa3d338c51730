"""How the page of results opens: one picture and five sentences, made from the records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from mixcon.paper._experiment import Result, Row
from mixcon.paper.orderings import orderings
from mixcon.reports.sheets import grouped_bars

__all__ = ["Working", "opening", "opening_picture"]

_DATA = "mnist"  # what the sentences are about: it has the most records


@dataclass(frozen=True)
class Working:
    """A defense that works, as the leaderboard has it on MNIST, to stand beside the paper's.

    Attributes:
        title: what is done against leaking.
        accuracy: on test images, percent.
        leakage: mean SSIM of the best single attack, chosen as that of the tables is.
        guess: mean SSIM of the best single guess from the class.
        bits: maximal leakage, proved; None where nothing is.
    """

    title: str
    accuracy: float
    leakage: float
    guess: float
    bits: float | None


@dataclass(frozen=True)
class _Measured:
    """One column of Table 3: accuracies in percent, means of SSIM."""

    setting: str
    accuracy: float
    paper_accuracy: float
    paper: float
    ours: float
    strongest: float
    floor: float


def opening(results: Sequence[Result], working: Working | None) -> str:
    """The sentences; nothing without a record of Table 3 on MNIST."""
    found = _columns(results)
    if not found:
        return ""
    plain, mixed = found
    sentences = [_claim(plain, mixed), _own_attack(plain, mixed), _strongest(plain, mixed)]
    sentences += [_works(working)] if working else []
    return " ".join([*sentences, _orders(results)]) + "\n"


def opening_picture(results: Sequence[Result], working: Working | None) -> bytes | None:
    """SSIM under each attack as SVG; None where there are no sentences."""
    found = _columns(results)
    if not found:
        return None
    groups = ["the paper says", "its attack, measured", "the strongest attack"]
    bars: dict[str, list[float | None]] = {
        f"{c.setting}, {c.accuracy:.1f} % right": [c.paper, c.ours, c.strongest] for c in found
    }
    if working:
        bars[f"{working.title}, {working.accuracy:.1f} % right"] = [None, None, working.leakage]
    guess = working.guess if working else found[0].floor
    name = "a guess from the class alone"
    return grouped_bars(groups, bars, "SSIM of reconstructions, MNIST", (name, guess))


def _columns(results: Sequence[Result]) -> tuple[_Measured, _Measured] | None:
    """Vanilla and MixCon."""
    rows = [
        row
        for result in results
        if result.experiment == "table3"
        for row in result.rows
        if row.group == _DATA
    ]
    settings = list(dict.fromkeys(row.setting for row in rows))
    if len(settings) != 2:
        return None
    first, second = (_measured([row for row in rows if row.setting == s]) for s in settings)
    return first, second


def _measured(rows: Sequence[Row]) -> _Measured:
    by_quantity = {row.quantity: row for row in rows}
    accuracy, ssim = by_quantity["Accuracy (%)"], by_quantity["SSIM, mean"]
    return _Measured(
        accuracy.setting,
        fmean(accuracy.ours),
        accuracy.paper or 0.0,
        ssim.paper or 0.0,
        fmean(ssim.ours),
        fmean(ssim.strongest or [0.0]),
        fmean(ssim.floor or [0.0]),
    )


def _claim(plain: _Measured, mixed: _Measured) -> str:
    return (
        f"The paper claims that {mixed.setting} makes inputs harder to recover at little cost: on "
        f"MNIST the SSIM of what its attack recovers falls from {plain.paper:.2f} to "
        f"{mixed.paper:.2f}, and the accuracy from {plain.paper_accuracy:.1f} to "
        f"{mixed.paper_accuracy:.1f} %."
    )


def _own_attack(plain: _Measured, mixed: _Measured) -> str:
    verdict = "holds" if _falls(plain.ours, mixed.ours, plain, mixed) else "does not hold"
    return (
        f"Under its own attack that {verdict} here: from {plain.ours:.2f} to {mixed.ours:.2f}, at "
        f"{plain.accuracy:.1f} and {mixed.accuracy:.1f} %."
    )


def _strongest(plain: _Measured, mixed: _Measured) -> str:
    holds = _falls(plain.strongest, mixed.strongest, plain, mixed)
    return (
        f"Under the strongest attack that mixcon knows it {'holds' if holds else 'does not hold'}: "
        f"{plain.strongest:.2f} without MixCon and {mixed.strongest:.2f} with it, where 1 is an "
        "exact copy."
    )


def _falls(before: float, after: float, plain: _Measured, mixed: _Measured) -> bool:
    """Whether at least half of what the paper's SSIM loses is lost."""
    return before - after >= (plain.paper - mixed.paper) / 2


def _works(working: Working) -> str:
    proved = (
        "" if working.bits is None else f", with {working.bits:.0f} bits proved for every attacker"
    )
    return (
        f"On the same axes `{working.title}` keeps {working.accuracy:.1f} % and leaves "
        f"{working.leakage:.2f}, where the best single guess from the class alone gets "
        f"{working.guess:.2f}{proved} ([leaderboard](leaderboard.md))."
    )


def _orders(results: Sequence[Result]) -> str:
    found = [each for result in results for each in orderings(result.rows).values()]
    held = sum(each.holds for each in found)
    return f"Of the {len(found)} orderings that the paper's tables have, {held} hold for our means."
