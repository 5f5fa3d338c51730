"""Vectors, sequences, texts: the same audit, fair on all, and a report that shows them."""

import pytest
import torch

from mixcon.attacks import Decoder, Posterior, Rmle
from mixcon.audit import Subject, run_audit
from mixcon.audit.reference_devices import EXPECTED
from mixcon.data import LabeledSet, Splits, load
from mixcon.kinds import Kind
from mixcon.models import build
from mixcon.reports.figures import figures_of
from mixcon.reports.files import read_report, write_figures

CASES = {
    "synthetic": ("mlp", Kind.VECTOR),
    "tones": ("audio", Kind.SEQUENCE),
    "messages": ("transformer", Kind.TEXT),
}


@pytest.fixture(scope="module", params=CASES)
def audited(request):
    data, (network, kind) = load(f"{request.param}[:400]"), CASES[request.param]
    model = build(network, data.train.shape, len(data.train.classes)).eval()
    attacks = [Posterior(), Decoder(steps=100), Rmle(steps=20)]
    subject = Subject(model, "a model")
    return kind, *run_audit([subject], data, attacks, victims=60, thorough=True)


def test_devices_of_known_leakage_get_the_right_excess(audited):
    _, report, _ = audited
    figures = figures_of(report)
    assert {each.summary.model for each in figures.calibration} == set(EXPECTED)
    assert not [each.fault for each in figures.calibration if each.is_off]


def test_everything_is_measured_in_the_metric_of_the_kind(audited):
    kind, report, gallery = audited
    (model,) = report.models
    assert model.kind is gallery.kind is kind
    metric = kind.headlines[0]
    assert figures_of(report).metric == metric
    records = (*model.attacks, *model.guesses)
    assert all(metric in each.auxiliary and len(each.leakage[metric]) == 60 for each in records)
    assert {"reidentification", "reidentification_in_class"} == set(report.notes)
    assert model.saturation
    assert bool(model.masking) == (kind is not Kind.VECTOR)
    assert [guess.guess for guess in model.guesses[:2]] == ["class-mean", f"class-{metric}"]


def test_the_report_draws_sequences_and_texts_and_tells_the_columns_of_vectors(audited, tmp_path):
    kind, report, gallery = audited
    figures = figures_of(report)
    page = write_figures(figures, gallery, tmp_path).read_text(encoding="utf-8")
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert f"Excess per {kind}" in page
    assert "image" not in text
    rows = 1 + len(report.models[0].attacks)
    drawn = page.count('src="data:image/svg+xml;base64,')
    assert drawn == (0 if kind is Kind.VECTOR else rows * len(figures.shown))
    assert ("Which columns come back" in page) == (kind is Kind.VECTOR)
    assert text.count("\n| a model | ") == (12 if kind is Kind.VECTOR else 2)
    assert figures_of(read_report(tmp_path / "report.json")).models == figures.models


def table(test, loud=1.0):
    """Two classes of vectors, so many test samples of each; the third column is louder."""
    columns = torch.tensor([1.0, 1.0, loud, 1.0])
    generator = torch.Generator().manual_seed(0)

    def part(counts):
        labels = torch.arange(2).repeat_interleave(torch.tensor(counts))
        inputs = torch.randn(len(labels), len(columns), generator=generator) * columns
        return LabeledSet("table", inputs, labels, ("a", "b"))

    return Splits(part((200, 200)), part(test))


def evidence(data, victims):
    model = build("mlp", data.train.shape, 2).eval()
    rest = ["saturation", "calibration", "bound", "label leakage"]
    report, _ = run_audit(
        [Subject(model)], data, [Decoder(steps=5)], victims=victims, thorough=True, without=rest
    )
    (summary,) = figures_of(report).models
    return summary.evidence


def test_a_rare_class_does_not_keep_anybody_from_being_named():
    """Nor does an audit pass that could not look: hardly a sample is left beside the victims."""
    assert evidence(table(test=(60, 3)), victims=40).named is not None
    found = evidence(table(test=(30, 3)), victims=30)
    assert found.named is None
    assert any("no re-identification in class" in flaw for flaw in found.flaws)


def test_one_column_that_rules_the_squared_error_is_a_flaw():
    loud = evidence(table((40, 40), loud=100.0), victims=60)
    assert any("nothing of the columns but number 2" in flaw for flaw in loud.flaws)
    even = evidence(table((40, 40)), victims=60)
    assert not any("nothing of the columns" in flaw for flaw in even.flaws)
