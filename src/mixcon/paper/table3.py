"""Table 3: utility and leakage of LeNet-5, vanilla against MixCon."""

from __future__ import annotations

from statistics import fmean

from mixcon.paper._experiment import Check, Experiment, Measured, Row, RunOptions
from mixcon.paper._lenet import SCALE_TEXT, SEEDS, mixcon_setting, table
from mixcon.paper._settings import VANILLA

__all__ = ["TABLE3"]


def _measure(options: RunOptions) -> Measured:
    found = table(options, "table3", lambda data: (VANILLA, mixcon_setting(data)))
    found.checks = _checks(found.rows)
    return found


def _checks(rows: list[Row]) -> list[Check]:
    """What must hold of a reproduction on MNIST."""
    values = {(r.quantity, r.setting): r.ours for r in rows if r.group == "mnist"}
    if not values:
        return []
    plain = values["Accuracy (%)", VANILLA.title]
    kept = values["Accuracy (%)", mixcon_setting("mnist").title]
    before = values["SSIM, mean", VANILLA.title]
    after = values["SSIM, mean", mixcon_setting("mnist").title]
    return [
        Check(
            claim="MNIST: vanilla classifies at least 98.7 % correctly.",
            holds=[a >= 98.7 for a in plain],
        ),
        Check(
            claim="MNIST: MixCon (1, 1e-4) is within 1.5 points of it.",
            holds=[a - b <= 1.5 for a, b in zip(plain, kept, strict=True)],
            measured=f"On average it loses {fmean(plain) - fmean(kept):.1f} points.",
        ),
        Check(
            claim="MNIST: under the paper's attack SSIM falls from at least 0.5 to at most 0.25.",
            holds=[a >= 0.5 and b <= 0.25 for a, b in zip(before, after, strict=True)],
        ),
    ]


TABLE3 = Experiment(
    name="table3",
    title="Table 3: leakage of LeNet-5, vanilla against MixCon",
    scales=SCALE_TEXT,
    seeds=SEEDS,
    measure=_measure,
)
