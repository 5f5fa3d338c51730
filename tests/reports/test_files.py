"""Files of the report: complete, escaped, readable again, written whole or not at all."""

import html.parser
import json
import math
import re

import pytest
import torch
from tests.reports.report_parts import report_on, sound

from mixcon.audit import Gallery
from mixcon.errors import ConfigError, RunError
from mixcon.reports import (
    distribution,
    figures_of,
    markdown_table,
    read_report,
    render_html,
    report_json,
    rows,
    trade_off,
    write_report,
)


class Page(html.parser.HTMLParser):
    """Collects what a browser would load, show and run."""

    def __init__(self, text):
        super().__init__()
        self.sources, self.tags, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        attributes = dict(attrs)
        self.sources += [attributes[k] for k in ("src", "href") if attributes.get(k)]

    def handle_data(self, data):
        self.text += data


def test_page_is_self_contained_and_escaped(report, gallery):
    page = Page(render_html(figures_of(report), gallery))
    assert page.sources
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert page.tags.count("img") == 3 * 5  # originals, and two attacks on two models
    assert "b" not in page.tags  # the name of the second model is text, not markup
    assert "mixcon <b>" in page.text
    for sentence in ("mixcon audit run", "torch 2.13.0", "The attacker sees z."):
        assert sentence in page.text


def test_page_of_vectors_has_no_pictures(report):
    vectors = Gallery(torch.rand(3, 5), torch.zeros(3).long(), ("a",))
    assert "img" not in Page(render_html(figures_of(report), vectors)).tags


def test_report_comes_back_equal(report, gallery, tmp_path):
    report.models[0].attacks[0].leakage["psnr"] = [1.0, math.inf, 2.0]
    page = write_report(report, gallery, tmp_path / "new")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert sorted(p.name for p in page.parent.iterdir()) == [
        "report.html", "report.json", "report.md",
    ]  # fmt: skip
    assert read_report(tmp_path / "new" / "report.json") == report


def test_the_json_names_what_a_gate_judges_by(report, gallery, tmp_path):
    write_report(report, gallery, tmp_path)
    found = json.loads((tmp_path / "report.json").read_text())["evidence"]["vanilla"]
    assert found["excess"] == pytest.approx(0.875)
    assert found["interval"] == pytest.approx([0.75, 1.0])
    assert (found["victims"], found["thorough"]) == (3, None)
    assert "class mean alone" in found["doubts"][0]
    assert "attacked 3 inputs" in found["doubts"][1]


def test_an_earlier_report_is_read_as_one_that_does_not_say_how_hard_it_tried(report, tmp_path):
    text = json.loads(report_json(report_on(sound(report.models[0]))))
    del text["evidence"], text["models"][0]["effort"], text["models"][0]["chance"]
    (tmp_path / "old.json").write_text(json.dumps({**text, "schema_version": 2}))
    (model,) = read_report(tmp_path / "old.json").models
    assert model.effort is None
    doubts = figures_of(report_on(model)).models[0].evidence.doubts
    assert any("earlier version" in doubt for doubt in doubts)


def test_a_report_of_schema_3_keeps_its_excess_and_is_weak(report, tmp_path):
    old = json.loads(report_json(report_on(sound(report.models[0]))))
    for model in old["models"]:
        for key in ("guesses", "saturation", "bits"):
            del model[key]
        for attack in model["attacks"]:
            del attack["auxiliary"]
    del old["calibration"], old["evidence"]
    (tmp_path / "old.json").write_text(json.dumps({**old, "schema_version": 3}))
    (summary,) = figures_of(read_report(tmp_path / "old.json")).models
    assert summary.excess == pytest.approx(0.875)
    assert summary.evidence.flaws == ("its floor is the class mean alone, which is too low",)


def test_misfit_gallery_writes_nothing(report, gallery, tmp_path):
    short = Gallery(gallery.originals[:2], gallery.labels[:2], gallery.classes)
    with pytest.raises(ConfigError, match="expected 2 values"):
        write_report(report, short, tmp_path / "new")
    gallery.reconstructions["vanilla"]["rmle"] = torch.rand(3, 1, 5, 5)
    with pytest.raises(ConfigError, match="expected reconstructions"):
        write_report(report, gallery, tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "No such file"), ("{", "but got"), ('{"schema_version": 99}', "schema version 4"),
     ('{"schema_version": 3, "title": 3}', "expected a mixcon report")],
)  # fmt: skip
def test_unreadable_reports(tmp_path, text, message):
    path = tmp_path / "report.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(RunError, match=message):
        read_report(path)


def test_table_by_hand(report):
    assert rows(figures_of(report))[0] == {
        "Model": "vanilla",
        "Accuracy": "98.0 %",
        "Numbers sent": "1,600",
        "SSIM, rmle-paper": "0.60 ± 0.08 (0.70)",
        "SSIM, rmle": "0.90 ± 0.08 (1.00)",
        "Label-only floor": "0.20",
        "Strongest per image": "0.90 ± 0.08 (1.00)",
        "Excess leakage": "0.88 [0.75, 1.00]",
        "Excess per image": "–",  # noqa: RUF001
    }
    main, models = markdown_table(figures_of(report)).split("\n\n")
    for lines in (main.splitlines(), models.splitlines()):
        assert len(lines) == 4
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    assert "| vanilla | lenet5 | pool2 | digits |" in models


def test_charts_show_the_numbers(report):
    points = trade_off(figures_of(report)).data
    assert [(p.x[0], round(p.y[0], 3)) for p in points] == [(98.0, 0.9), (95.0, 0.85)]
    assert points[1].error_y.array[0] == pytest.approx(0.05)
    boxes = distribution(figures_of(report)).data
    assert list(boxes[0].y) == [0.6, 0.5, 0.7, 0.9, 1.0, 0.8]
    assert list(boxes[0].x)[:4] == ["rmle-paper"] * 3 + ["rmle"]
