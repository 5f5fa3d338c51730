"""A report with its pictures, which several tests draw."""

import pytest
import torch
from tests.reports.report_parts import model, report_on

from mixcon.audit import Gallery


@pytest.fixture
def report():
    """The paper's attack is fooled, the strong one is not; three images."""
    return report_on(
        model("vanilla", 0.98, rmle_paper=[0.6, 0.5, 0.7], rmle=[0.9, 1.0, 0.8]),
        model("mixcon <b>", 0.95, rmle_paper=[0.1, 0.2, 0.85], rmle=[0.9, 0.8, 0.7]),
    )


@pytest.fixture
def gallery(report):
    generator = torch.Generator().manual_seed(0)
    originals = torch.rand(3, 1, 6, 6, generator=generator)
    return Gallery(
        originals,
        torch.tensor([0, 1, 1]),
        ("zero", "one"),
        {m.name: {a.attack: originals / 2 for a in m.attacks} for m in report.models},
    )
