"""Wave forms and columns, by hand."""

import re

import pytest
import torch
from report_parts import model, report_on

from mixcon.audit import Gallery
from mixcon.errors import ConfigError
from mixcon.reports import thumbnail, wave_form
from mixcon.reports.columns import Column, columns
from mixcon.reports.figures import figures_of


def points(svg):
    return [
        [tuple(map(float, point.split(","))) for point in line.split()]
        for line in re.findall(r'points="([^"]+)"', svg)
    ]


def test_the_original_stands_behind_and_sets_the_scale():
    original = torch.tensor([[0.0, 0.1, 0.0, -0.1]])
    behind, front = points(wave_form(torch.full((1, 4), 50.0), original))
    middle, top, _, bottom = (y for _, y in behind)
    assert top < middle < bottom
    assert len({y for _, y in front}) == 1
    assert 0 <= front[0][1] < top  # cut off within its lane
    assert [x for x, _ in behind] == [0, 53.3, 106.7, 160]


def test_long_sequences_of_many_channels_stay_small():
    svg = wave_form(torch.randn(9, 5000))
    assert len(points(svg)) == 4
    assert max(map(len, points(svg))) <= 320
    assert points(wave_form(torch.zeros(1, 1))) == [[(0.0, 28.0)]]


@pytest.mark.parametrize("shapes", [((5,), (5,)), ((1, 5), (1, 6)), ((1, 2, 3), (1, 2, 3))])
def test_other_shapes_are_refused(shapes):
    with pytest.raises(ConfigError, match="expected sequences"):
        wave_form(*map(torch.zeros, shapes))


def vectors(numbers):
    originals = torch.arange(4.0)[:, None] * torch.ones(numbers)
    found = originals + torch.arange(float(numbers))
    labels = torch.zeros(4, dtype=torch.int64)
    return Gallery(originals, labels, ("a",), {"m": {"rmle": found, "other": originals}})


def test_columns_of_the_chosen_attack_worst_first():
    figures = figures_of(report_on(model("m", 0.9, rmle=[0.9] * 4, other=[0.1] * 4)))
    rows = columns(figures, vectors(3))
    spread = 1.25**0.5
    assert rows == [Column("m", "rmle", i, float(i), pytest.approx(spread)) for i in (2, 1, 0)]
    assert rows[0].share == pytest.approx(2 / spread)
    assert [row.column for row in columns(figures, vectors(30))] == [
        *range(29, 24, -1),
        *range(4, -1, -1),
    ]


def test_thumbnails_by_kind():
    record = model("m", 0.9, rmle=[0.9] * 4)
    cosine = [{**a.model_dump(), "leakage": {"cosine": [0.5] * 4}} for a in record.attacks]
    of_sequences = type(record).model_validate({**record.model_dump(), "attacks": cosine})
    assert thumbnail(record, vectors(3)) is None
    for shape, ending, start in (((1, 12, 12), "png", b"\x89PNG"), ((1, 12), "svg", b"<svg")):
        samples = torch.rand(4, *shape)
        gallery = Gallery(samples, torch.zeros(4).long(), ("a",), {"m": {"rmle": samples}})
        found = thumbnail(record if ending == "png" else of_sequences, gallery)
        assert found[0] == ending
        assert found[1].startswith(start)
