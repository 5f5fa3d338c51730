"""The paper's tables and figures, one a file; adding one is a file and a line here."""

from __future__ import annotations

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
from mixcon.paper.figure2 import FIGURE2
from mixcon.paper.figure3 import FIGURE3
from mixcon.paper.figure4 import FIGURE4
from mixcon.paper.figure5 import FIGURE5
from mixcon.paper.figure6 import FIGURE6
from mixcon.paper.hardness import HARDNESS
from mixcon.paper.readings import READINGS
from mixcon.paper.table1 import TABLE1
from mixcon.paper.table2 import TABLE2
from mixcon.paper.table3 import TABLE3
from mixcon.paper.table4 import TABLE4
from mixcon.paper.table5 import TABLE5
from mixcon.paper.zeta import ZETA

__all__ = [
    "EXPERIMENTS",
    "Check",
    "Experiment",
    "Measured",
    "Result",
    "Row",
    "RunOptions",
    "Scale",
    "Step",
]

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        TABLE1,
        TABLE2,
        FIGURE2,
        TABLE3,
        FIGURE3,
        FIGURE4,
        TABLE4,
        FIGURE5,
        ZETA,
        TABLE5,
        FIGURE6,
        HARDNESS,
        READINGS,
    )
}
"""Name to experiment, in the paper's order."""
