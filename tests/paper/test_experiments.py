"""Every table and figure at smoke scale, on real data; and what is kept between runs."""

import os
from pathlib import Path

import pytest
from PIL import Image

from mixcon.attacks import RmlePaper
from mixcon.errors import ConfigError
from mixcon.paper import EXPERIMENTS, RunOptions
from mixcon.paper._settings import mixcon
from mixcon.paper.results import read_result, write_result

CIFAR = {"table5", "figure6"}


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    """Shared by all experiments, as a user's is: models are trained once."""
    return tmp_path_factory.mktemp("work")


@pytest.mark.smoke
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_experiment(name, work, tmp_path):
    if name in CIFAR and "MIXCON_DATA" not in os.environ:
        pytest.skip("needs CIFAR-10: set MIXCON_DATA")
    experiment, steps = EXPERIMENTS[name], []
    options = RunOptions("smoke", work, (0,), on_progress=steps.append)
    result = experiment.run(options, f"mixcon reproduce {name}")
    assert result.rows or result.checks
    assert all(len(row.ours) == 1 for row in result.rows if row.strongest)
    shares = [step.share for step in steps]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    written = write_result(experiment, result, tmp_path)
    assert read_result(tmp_path / f"{name}.json") == result
    figures = [path for path in written if path.suffix in {".svg", ".png"}]
    assert bool(figures) == (experiment.draw is not None)
    for path in figures:
        assert _is_whole(path)
        assert experiment.draw(result)[path.name] == path.read_bytes()


def _is_whole(path):
    if path.suffix == ".svg":
        return path.read_text(encoding="utf-8").rstrip().endswith("</svg>")
    with Image.open(path) as picture:
        picture.load()
        return min(picture.size) > 100


def test_a_second_run_finds_everything_and_says_the_same(work):
    options = RunOptions("smoke", work, (0,))
    first, again = (EXPERIMENTS["table2"].run(options, "x") for _ in range(2))
    assert first.rows == again.rows
    assert first.seconds > 0


def test_no_seed_is_refused(work):
    with pytest.raises(ConfigError, match="at least one seed"):
        EXPERIMENTS["table1"].run(RunOptions("smoke", work, ()), "x")


def test_names_of_settings_are_the_papers():
    assert mixcon(1, 1e-4).title == "MixCon (1, 1e-4)"
    assert mixcon(0.1, 0).title == "MixCon (0.1, 0)"
    assert mixcon(0.5, 0.01).title == "MixCon (0.5, 0.01)"
    assert RmlePaper().name == "rmle-paper"


def test_only_the_data_sets_asked_for():
    options = RunOptions("small", Path("x"), (0,), only=("svhn",))
    assert options.chosen(["mnist[:10000]", "svhn[:10000]"]) == ["svhn[:10000]"]
    with pytest.raises(ConfigError, match="expected data sets out of mnist, but got svhn"):
        options.chosen(["mnist"])
