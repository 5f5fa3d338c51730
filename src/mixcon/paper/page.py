"""The page of results: made from the recorded JSON alone, never typed by hand."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from mixcon.errors import RunError
from mixcon.paper import EXPERIMENTS
from mixcon.paper._experiment import Result, Row
from mixcon.paper.markdown import comparison, where_and_how
from mixcon.paper.opening import Working, opening, opening_picture
from mixcon.paper.orderings import orderings
from mixcon.paper.results import read_result

__all__ = ["PICTURE", "results_page"]

PICTURE = "opening.svg"

_HEAD = """\
## How to read it

Every table and figure of Li et al., *MixCon: Adjusting the Separability of Data Representations for
Harder Data Recovery*, run again with this project. This page is made from the JSON files in
[{docs}/{link}]({link}) by `mixcon reproduce --out {docs}/{link} --docs {docs}/results.md`; no
number on it was typed by hand.

Values are means over seeds ± their standard deviation. *Paper's attack* is the one that the paper
describes, in the reading that reproduces its numbers. *Strongest attack* is the one that an
attacker would choose of all that mixcon knows, *label-only floor* what a guess gets from the
predicted class alone. An attack is only worth the name above that floor, and a defense only worth
its name if the strongest attack stays near it. Where a note says that the strongest attack was
taken image by image, the record is an early one: it was chosen with the truth, and the floor is the
mean training image of the class, up to 0.1 SSIM too low. Times are wall times of training and
attacks, whatever else the machine did meanwhile.
"""

_WHY = """\
Why both can be true: MixCon pulls representations together, so the residual between the
representation of a guess and the one that was sent gets small, and its gradient with it. The attack
of the paper takes 500 gradient steps of a fixed size and so gets nowhere. The gradient is hidden,
the information is there: the map from inputs to representations tells nearly as much apart as it
did before, only on a smaller scale, and whoever divides by that scale (Adam, a relative residual, a
decoder trained on released representations) reads it all the same. What turns contraction into
protection is noise of a size that no contraction can undo: `mixcon+normalize+gaussian`.
"""


def results_page(
    folder: Path, docs: Path, working: Working | None = None
) -> tuple[str, bytes | None]:
    """All results in a folder as one Markdown page, and the picture it opens with.

    Args:
        folder: where the JSON files and figures lie, and `PICTURE` is to lie.
        docs: the folder that the page is for; its links start there.
        working: a defense to compare the paper's with.

    Returns:
        The page, and SVG; None where the records have no such picture.

    Raises:
        RunError: there is no result in the folder, or a file that is none.
    """
    results = _in_order([read_result(path) for path in sorted(folder.glob("*.json"))])
    if not results:
        raise RunError(f"expected results in {folder}, but got none: run mixcon reproduce first")
    link = os.path.relpath(folder, docs)
    picture = opening_picture(results, working)
    parts = [
        "# Results\n",
        *([f"![What holds, at a glance]({link}/{PICTURE})\n"] if picture else []),
        opening(results, working),
        _HEAD.format(link=link, docs=docs.resolve().name),
        _what_holds(results),
        _discussion(results),
    ]
    for result in results:
        figures = sorted(p.name for p in folder.glob(f"{result.name}.*") if _is_figure(p))
        parts += [
            f"## {result.title}\n",
            *(f"![{result.title}]({link}/{name})\n" for name in figures),
            comparison(result),
            where_and_how(result),
        ]
    return "\n".join(part for part in parts if part), picture


def _in_order(results: Sequence[Result]) -> list[Result]:
    """As the paper has them; parts of one table by name."""
    order = list(EXPERIMENTS)
    return sorted(results, key=lambda result: (order.index(result.experiment), result.name))


def _is_figure(path: Path) -> bool:
    return path.suffix in {".svg", ".png"}


def _what_holds(results: Sequence[Result]) -> str:
    """Counts of orderings and checks, and each one that fails."""
    found = [(r, o) for r in results for o in orderings(r.rows).values()]
    failed = [
        f"- {_short(r)}, {f'{o.group} {o.quantity}'.strip()}: the paper has {o.paper}; "
        f"{sum(o.pairs)} of {len(o.pairs)} pairs do."
        for r, o in found
        if not o.holds
    ]
    checks = [(r, c) for r in results for c in r.checks]
    broken = [
        f"- {_short(r)}: {c.claim} ({sum(c.holds)} of {len(c.holds)})"
        for r, c in checks
        if not all(c.holds)
    ]
    lines = [
        "## What holds and what does not\n",
        f"{len(found) - len(failed)} of {len(found)} orderings of the paper hold for our means. "
        + ("These do not:\n\n" + "\n".join(failed) if failed else ""),
        f"\n{len(checks) - len(broken)} of {len(checks)} statements hold in every case. "
        + ("These do not:\n\n" + "\n".join(broken) if broken else ""),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _short(result: Result) -> str:
    return result.title.split(":")[0]


def _discussion(results: Sequence[Result]) -> str:
    """What Table 3 shows about the paper's attack and the strongest, in sentences."""
    tables = [result for result in results if result.experiment == "table3"]
    rows = [row for table in tables for row in table.rows if row.quantity == "SSIM, mean"]
    if not rows:
        return ""
    groups = list(dict.fromkeys(row.group for row in rows))
    sentences = [_of_data(*(row for row in rows if row.group == group)) for group in groups]
    hidden = all(_is_hidden(*(row for row in rows if row.group == group)) for group in groups)
    text = "## What it means\n\n" + "\n".join(sentences)
    return f"{text}\n\n{_WHY}" if hidden else f"{text}\n"


def _of_data(vanilla: Row, defended: Row) -> str:
    plain, mixed = _means(vanilla), _means(defended)
    said = (
        f"- **{vanilla.group}**: under the paper's attack the SSIM falls from {plain['ours']:.2f} "
        f"(vanilla) to {mixed['ours']:.2f} ({defended.setting})"
    )
    if vanilla.paper is not None and defended.paper is not None:
        said += f"; the paper has {vanilla.paper:.2f} and {defended.paper:.2f}"
    return (
        f"{said}. Under the strongest attack it is {plain['strongest']:.2f} and "
        f"{mixed['strongest']:.2f}, where a guess from the label alone gets {mixed['floor']:.2f}."
    )


def _is_hidden(vanilla: Row, defended: Row) -> bool:
    """Whether the strongest attack loses less than half of what the paper's attack loses."""
    plain, mixed = _means(vanilla), _means(defended)
    lost = {name: plain[name] - mixed[name] for name in plain}
    return lost["strongest"] < lost["ours"] / 2


def _means(row: Row) -> dict[str, float]:
    parts = {"ours": row.ours, "strongest": row.strongest, "floor": row.floor}
    return {name: fmean(values) for name, values in parts.items() if values}
