"""`mixcon reproduce` as a user runs it."""

import json

import pytest
from tests.commands import run_command

pytestmark = pytest.mark.smoke


def run(*words, folder):
    return run_command("reproduce", *words, cwd=folder)


def test_a_figure_its_numbers_and_the_page(tmp_path):
    done = run("figure3", "--scale", "smoke", "--docs", "docs/results.md", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs" / "paper" / "smoke"
    assert {path.name for path in folder.iterdir()} == {"figure3.json", "figure3.md", "figure3.svg"}
    result = json.loads((folder / "figure3.json").read_text(encoding="utf-8"))
    assert result["environment"]["command"] == "mixcon reproduce figure3 --scale smoke --seeds 1"
    page = (tmp_path / "docs" / "results.md").read_text(encoding="utf-8")
    assert "](../runs/paper/smoke/figure3.svg)" in page
    assert "## Figure 3" in page


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "expected experiments, for example table1"),
        (["tabel1"], "did you mean 'table1'"),
        (["table3", "--only", "cifar10"], "expected data sets out of mnist"),
        (["table3", "--scale", "huge"], "'huge'"),
        (["--docs", "results.md", "--out", "nowhere"], "expected results in nowhere"),
    ],
)
def test_bad_input_is_one_message_and_code_2(tmp_path, words, message):
    done = run(*words, folder=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
