"""`mixcon reproduce elsewhere`: tables, which need no files; and the page that is recorded."""

import json
from pathlib import Path

import pytest
import torch
from tests.commands import run_command

from mixcon.defenses import DefenseConfig
from mixcon.models import build
from mixcon.paper.elsewhere_cases import CASES
from mixcon.paper.elsewhere_page import elsewhere_page
from mixcon.reports import read_report
from mixcon.split import Sizes

DOCS = Path(__file__).parents[2] / "docs"
SHAPES = {
    "faces": ((1, 64, 64), 40),
    "voice": ((1, 1000), 10),
    "x-rays": ((1, 28, 28), 2),
    "tables": ((30,), 2),
    "census": ((15,), 2),
    "texts": ((20, 205), 6),
}


def run(*words, folder):
    return run_command("reproduce", *words, cwd=folder)


@pytest.mark.smoke
def test_tables_in_small_and_not_twice(tmp_path):
    words = ("elsewhere", "--only", "tables", "--scale", "smoke", "--out", "out", "--work", "work")
    done = run(*words, "--docs", "docs/elsewhere.md", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    record = tmp_path / "out" / "tables" / "report.json"
    first = record.read_bytes()
    report = read_report(record)
    assert report.environment.command == "mixcon reproduce elsewhere --only tables --scale smoke"
    assert [model.bits.maximal_leakage for model in report.models] == [None, 4.0, 4.0]
    assert [model.secrets[0].name for model in report.models] == ["mean_texture"] * 3
    weights = [
        json.loads(path.read_text().splitlines()[-1])["epoch"]
        for path in tmp_path.rglob("metrics.jsonl")
    ]
    assert weights == [1, 1, 1]
    page = (tmp_path / "docs" / "elsewhere.md").read_text(encoding="utf-8")
    assert "adapted, cut after relu1 | " in page
    assert "](../out/tables/report.md)" in page
    assert run(*words, folder=tmp_path).returncode == 0
    assert record.read_bytes() == first


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["elsewhere", "--only", "cars"], "expected data sets out of faces, voice"),
        (["elsewhere", "table1"], "expected elsewhere alone"),
    ],
)
def test_bad_input_is_one_message(tmp_path, words, message):
    done = run(*words, folder=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_case_fits_its_data(case):
    shape, classes = SHAPES[case.name]
    for config in (case.undefended(), case.defended(), case.adapted(Path("run"))):
        model = build(config.network, shape, classes, cut=config.cut).eval()
        raw = model.represent(torch.rand(2, *shape))
        sizes = Sizes(shape, tuple(raw.shape[1:]), classes)
        assert DefenseConfig.parse(str(config.defense)).build(sizes).channel is not None


def test_the_page_is_what_the_records_give():
    page = (DOCS / "elsewhere.md").read_text(encoding="utf-8")
    assert page == elsewhere_page(DOCS / "elsewhere", DOCS)
