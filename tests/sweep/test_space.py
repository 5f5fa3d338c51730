"""Axes and spaces: what may vary, and every mistake refused before work starts."""

import pytest
from pydantic import ValidationError

from mixcon.errors import ConfigError
from mixcon.sweep import PAPER, Axis, Space, SweepConfig, read_sweep_config
from mixcon.training import TrainConfig

BASE = TrainConfig(data="digits", network="lenet5")


@pytest.mark.parametrize(
    ("text", "values"),
    [("0.01,0.1, 1", (0.01, 0.1, 1)), ("pool1,pool2", ("pool1", "pool2")), ([1, 2.5], (1, 2.5)),
     ("1e-4", (1e-4,)), (3, (3,))],
)  # fmt: skip
def test_lists(text, values):
    axis = Axis.parse(text)
    assert axis.values == values
    assert [type(v) for v in axis.values] == [type(v) for v in values]
    assert Axis.parse(str(axis)) == axis


@pytest.mark.parametrize(
    ("text", "low", "high", "log"),
    [("1e-2..1e-8", 1e-8, 1e-2, True), ("0.1..0.9", 0.1, 0.9, False), ("1..8", 1, 8, False),
     ("0..100", 0, 100, False)],
)  # fmt: skip
def test_ranges(text, low, high, log):
    axis = Axis.parse(text)
    assert (axis.low, axis.high, axis.is_logarithmic) == (low, high, log)
    assert Axis.parse(str(axis)) == axis


@pytest.mark.parametrize("text", ["", "1,1", "1,,2", "a..b", "1..1", "1..2..3", [], "..", "nan..1"])
def test_bad_axes(text):
    with pytest.raises(ConfigError, match=r"expected (different values|a range) such as"):
        Axis.parse(text)


def test_paper_grid():
    points = list(PAPER.points("mixcon"))
    assert len(points) == 56
    assert points[0] == {"mixcon.weight": 0.01, "mixcon.beta": 1e-2}
    assert points[-1] == {"mixcon.weight": 100, "mixcon.beta": 1e-8}
    assert PAPER.is_grid
    assert len(PAPER.check(BASE, grid=True)) == 56


def test_points_become_configs():
    space = Space(
        defenses=("mixcon(weight=0.5, beta=[1e-3]) + quantize(bits=[2, 4])",), cut="pool1"
    )
    first, second = space.check(BASE, grid=True)
    assert first.cut == "pool1"
    assert str(first.defense) == "mixcon(weight=0.5, beta=0.001) + quantize(bits=2)"
    assert str(second.defense) == "mixcon(weight=0.5, beta=0.001) + quantize(bits=4)"


def test_settings_that_belong_to_one_defense_only():
    space = Space(defenses=("mixcon(weight=[1, 10])", "gaussian(sigma=0.1..1)"))
    assert set(space.axes("gaussian", grid=False)) == {"gaussian.sigma"}
    assert set(space.axes("mixcon", grid=False)) == {"mixcon.weight", "mixcon.beta"}
    assert not space.is_grid


def test_a_setting_that_is_given_does_not_vary():
    space = Space(defenses=("mixcon(weight=1)",))
    assert set(space.axes("mixcon", grid=True)) == {"mixcon.beta"}
    assert all(c.defense.parts[0].settings["weight"] == 1 for c in space.check(BASE, grid=True))


@pytest.mark.parametrize(
    ("defenses", "message"),
    [
        (["mixcom"], "did you mean 'mixcon'"),
        (["mixcon(sigma=[0.1, 1])"], "but got sigma"),
        (["mixcon", "mixcon(weight=1)"], "different defenses"),
        (["vanilla"], "always tried"),
        (["mixcon(beta=[1e-2, 1e-2])"], "different values"),
        (["mixcon(beta=1e-8..1e-2)"], "expected lists"),
    ],
)
def test_mistakes_show_before_work(defenses, message):
    with pytest.raises(ConfigError, match=message):
        Space(defenses=defenses).check(BASE, grid=True)


def test_seeds_that_would_draw_other_data_are_refused():
    base = TrainConfig(data="synthetic[:100]", network="mlp")
    with pytest.raises(ConfigError, match="expected 1 seed for synthetic"):
        SweepConfig(base=base, seeds=2).check()


def test_unknown_keys_are_refused():
    with pytest.raises(ValidationError, match="Extra inputs"):
        Space(defences=["mixcon"])


def test_toml_comes_back_equal(tmp_path):
    space = Space(defenses=("mixcon", "normalize + gaussian(sigma=0.01..1)"))
    config = SweepConfig(base=BASE, space=space, trials=7)
    (tmp_path / "sweep.toml").write_text(config.to_toml())
    assert read_sweep_config(tmp_path / "sweep.toml") == config
    assert config.base.holdout == 0.1
    assert config.budget == {"vanilla": 1, "mixcon": 7, "normalize+gaussian": 7}


def test_layers_whose_names_are_numbers_stay_names():
    config = SweepConfig(base=BASE, space=Space(cut="[1.10, 2]"), sampler="grid")
    cuts = [config.space.config_at(BASE, "mixcon", p).cut for p in config.space.points("mixcon")]
    assert set(cuts) == {"1.10", "2"}
    assert config.vanilla.cut == "1.10"
