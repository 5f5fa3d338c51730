"""A sweep in which nothing beats guessing ends with a page that says so."""

from mixcon.sweep import Limits, choose, sweep, write_sweep


def test_a_sweep_without_a_front_ends_with_its_page(tiny, small, here, tmp_path):
    config = tiny()
    config = config.model_copy(
        update={"base": config.base.model_copy(update={"lr": 1e-9, "epochs": 1})}
    )
    for limits in (Limits(), Limits(max_excess=0.2), Limits(min_accuracy=0.9)):
        found = sweep(config, tmp_path / "s", here(), limits=limits)
        assert {trial.state for trial in found.trials} == {"pruned"}
        assert choose(found, limits) is None
        page = write_sweep(found, tmp_path / "s", limits).read_text(encoding="utf-8")
        assert "no trial does better than guessing" in page
        assert "Budget" in page
        assert not (tmp_path / "s" / "chosen.toml").exists()
        assert (tmp_path / "s" / "report.json").is_file()
