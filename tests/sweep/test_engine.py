"""The sweep in one process: who is trained, attacked and tested, and that nothing is done twice."""

import shutil

import pytest
from safetensors.torch import load_file

from mixcon.errors import ConfigError, CutError, DataError, RunError
from mixcon.reports import read_report
from mixcon.sweep import (
    Limits,
    Space,
    SweepConfig,
    SweepFolder,
    choose,
    chosen_toml,
    sweep,
    write_sweep,
)
from mixcon.sweep.job import attempt
from mixcon.training import RunFolder, TrainConfig, read_config

pytestmark = pytest.mark.usefixtures("small")


ONE = Space(defenses=("mixcon(weight=0.1, beta=1e-2)",))


def settled(sweep):
    """All that must come out equal: not how long it took."""
    strip = {"cheap": {"attacks": {"__all__": {"seconds"}}}}
    return [
        (t.name, t.config, t.state, t.cheap and t.cheap.model_dump(exclude=strip["cheap"]))
        for t in sweep.trials
    ]


def test_grid_trains_all_and_tests_the_front(finished):
    found, ran = finished.found, finished.ran
    assert [t.name for t in found.trials] == ["vanilla-0000", *(f"mixcon-000{i}" for i in range(4))]
    assert {t.place[1] for t in found.trials[1:]} == {1e-2, 1e-4}
    assert found.front
    assert all(t.strong and t.test for t in found.front)
    for trial in found.front:
        cheap, strong, test = (
            {a.attack: a.leakage for a in judgment.attacks}
            for judgment in (trial.cheap, trial.strong, trial.test)
        )
        assert set(cheap) == {"rmle-cheap"}
        assert set(strong) == set(test) == {"rmle-paper", "rmle-cheap"}
        assert strong["rmle-cheap"] == cheap["rmle-cheap"]  # so it never finds less
    tested = {name for name, stage in ran if stage == "test"}
    assert tested == {t.name for t in found.front} | {"vanilla-0000"}
    assert sorted(set(ran)) == sorted(ran)


def test_trials_never_meet_the_test_set(finished, small):
    held = small.holdout(0.2).test
    assert all(t.cheap.test_images == len(held) == 80 for t in finished.found.trials)
    assert all(t.test.test_images == len(small.test) for t in finished.found.front)
    assert all(RunFolder(t.folder).config.holdout == 0.2 for t in finished.found.trials)


def test_finished_sweep_runs_nothing_again(finished, copied, here, tiny):
    again, told = here(), []
    second = sweep(tiny(), copied, again, on_progress=told.append)
    assert again.ran == []
    assert settled(finished.found) == settled(second)
    assert told[0].done > 0  # the search was over before
    assert told[-1].done == 1


@pytest.mark.parametrize("sampler", ["random", "tpe", "nsga2"])
def test_samplers_give_every_defense_its_budget(tmp_path, here, tiny, sampler):
    space = Space(defenses=("mixcon", "quantize(bits=1..4)"))
    config = tiny(epochs=1, sampler=sampler, trials=6, space=space)
    pool = here()
    found = sweep(config, tmp_path / "s", pool)
    per = {d: [t for t in found.trials if t.defense == d] for d in ("mixcon", "quantize")}
    assert len(per["mixcon"]) == 6
    assert len({t.config.model_dump_json() for t in per["mixcon"]}) == 6
    # Four values of bits only: draws that repeat one are not trained again.
    assert all(t.state != "failed" for t in found.trials)
    bits = [t.config.defense.parts[0].settings["bits"] for t in per["quantize"]]
    assert len(set(bits)) == len(bits) <= 4
    assert all(type(b) is int for b in bits)


def test_more_trials_go_on_with_a_finished_sweep(tmp_path, here, tiny):
    config = tiny(epochs=1, sampler="random", trials=2, space=Space(defenses=("mixcon",)))
    sweep(config, tmp_path / "s", here())
    pool = here()
    found = sweep(config.model_copy(update={"trials": 4}), tmp_path / "s", pool)
    assert [n for n, stage in pool.ran if stage == "cheap"] == ["mixcon-0002", "mixcon-0003"]
    whole = sweep(config.model_copy(update={"trials": 4}), tmp_path / "whole", here())
    assert settled(found) == settled(whole)


def test_interrupted_equals_undisturbed(tmp_path, here, tiny):
    """The machine stops in the midst of a job, thrice; what was done is not done again."""

    def two_more(job):
        if len(pool.ran) > 2:
            raise KeyboardInterrupt
        return attempt(job)

    config = tiny(sampler="random", trials=4)
    whole = here()
    undisturbed = sweep(config, tmp_path / "whole", whole)
    ran = []
    for _ in range(3):
        pool = here(two_more)
        with pytest.raises(KeyboardInterrupt):
            sweep(config, tmp_path / "cut", pool)
        ran += pool.ran[:2]
    rest = here()
    assert settled(sweep(config, tmp_path / "cut", rest)) == settled(undisturbed)
    assert sorted(ran + rest.ran) == sorted(whole.ran)


def test_sweep_waits_for_a_cluster_that_lost_all_its_nodes(tmp_path, here, tiny, monkeypatch):
    class Lost(here):
        nodes = False

        @property
        def free(self):
            return super().free if self.nodes else 0

    def comes_back(seconds):
        pool.nodes = True

    pool = Lost()
    monkeypatch.setattr("mixcon.sweep.engine.time.sleep", comes_back)
    found = sweep(tiny(epochs=1, space=ONE), tmp_path / "s", pool)
    assert len(found.trials) == 2


def test_failed_trial_is_recorded_and_the_rest_goes_on(tmp_path, here, tiny):
    space = Space(defenses=("mixcon(weight=[0.1, 1e30], beta=1e-2)",))
    found = sweep(tiny(space=space), tmp_path / "s", here())
    states = {t.title: (t.state, t.reason) for t in found.trials}
    assert states["mixcon(weight=0.1, beta=0.01)"] == ("done", None)
    state, reason = states["mixcon(weight=1e+30, beta=0.01)"]
    assert state == "failed"
    assert "NaN" in reason
    again = here()
    assert settled(sweep(tiny(space=space), tmp_path / "s", again)) == settled(found)
    assert again.ran == []


def test_unexpected_failure_keeps_its_traceback(tmp_path, here, tiny, monkeypatch):
    monkeypatch.setattr("mixcon.sweep.job.run_audit", lambda *_, **__: 1 / 0)
    found = sweep(tiny(epochs=1, space=ONE), tmp_path / "s", here())
    assert {t.reason for t in found.trials} == {"ZeroDivisionError: division by zero"}
    assert "1 / 0" in (found.trials[0].folder / "cheap-error.txt").read_text()
    assert found.front == []


def test_hopeless_trial_is_not_attacked(tmp_path, here, tiny):
    space = Space(defenses=("gaussian(sigma=[1000])",))
    found = sweep(tiny(space=space), tmp_path / "s", here())
    hopeless = found.trials[1]
    assert hopeless.state == "pruned"
    assert hopeless.cheap.attacks == []
    assert hopeless not in found.front


def test_choice_keeps_to_limits(finished, tmp_path):
    found = finished.found
    accuracies = sorted(t.point[0] for t in found.done)
    best = choose(found, Limits(max_excess=1))
    assert best.point[0] == accuracies[-1]
    least = choose(found, Limits(min_accuracy=accuracies[0]))
    assert least.point[1] == min(t.point[1] for t in found.done)
    middle = choose(found, Limits(min_accuracy=accuracies[-1]))
    assert middle.point[0] == accuracies[-1]
    assert choose(found, Limits(min_accuracy=1.0, max_excess=0.0)) is None
    (tmp_path / "chosen.toml").write_text(chosen_toml(best))
    assert read_config(tmp_path / "chosen.toml") == best.config.model_copy(update={"holdout": 0.0})


def test_another_sweep_in_the_folder_is_refused(copied, tmp_path, here, tiny):
    with pytest.raises(RunError, match="victims = 3 there, 5 here"):
        sweep(tiny(victims=5), copied, here())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("all of it")
    with pytest.raises(RunError, match="folder of other files"):
        sweep(tiny(), tmp_path / "other", here())


def test_folder_of_a_sweep_killed_while_it_began_is_taken(tmp_path):
    (tmp_path / "id.txt").write_text("0123abcd\n")
    (tmp_path / ".sweep.toml.x1y2.tmp").write_text("trials = ")
    SweepFolder(tmp_path).claim(SweepConfig(base=TrainConfig(data="digits", network="lenet5")))
    assert SweepFolder(tmp_path).exists


def test_two_sweeps_at_once_are_refused(tmp_path, here, tiny):
    with (
        SweepFolder(tmp_path / "s").locked(),
        pytest.raises(RunError, match="another sweep is at work"),
    ):
        sweep(tiny(), tmp_path / "s", here())


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"space": Space(cut="pool1,pool9")}, CutError, "'pool9'"),
        ({"attacks": ("rmle", "rml")}, ConfigError, "but got 'rml'"),
        ({"space": Space(defenses=("mixcom",))}, ConfigError, "did you mean 'mixcon'"),
    ],
)
def test_mistakes_write_nothing(tmp_path, here, tiny, changes, error, message):
    with pytest.raises(error, match=message):
        sweep(tiny(**changes), tmp_path / "s", here())
    assert not (tmp_path / "s").exists()


def test_holdout_is_of_the_training_set(few_digits):
    part = few_digits.holdout(0.2)
    assert (len(part.train), len(part.test)) == (80, 20)
    assert few_digits.holdout(0.2).test.inputs.equal(part.test.inputs)
    rows = {tuple(x.flatten().tolist()) for x in part.train.inputs}
    assert not rows & {tuple(x.flatten().tolist()) for x in part.test.inputs}
    with pytest.raises(DataError, match="no test"):
        few_digits.holdout(0.001)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory, finished, here, tiny):
    """The finished grid, its front with two more seeds: folder, what was found, the jobs."""
    folder, pool = tmp_path_factory.mktemp("seeded") / "s", here()
    shutil.copytree(finished.folder, folder)
    return folder, sweep(tiny(seeds=3), folder, pool), pool.ran


def test_further_seeds_meet_the_test_set_and_have_no_say_before(finished, seeded, here, tiny):
    folder, found, ran = seeded
    alone = finished.found
    assert settled(found) == settled(alone)
    assert [t.name for t in found.front] == [t.name for t in alone.front]
    chosen = {"vanilla-0000", *(t.name for t in found.front)}
    assert set(ran) == {(f"{name}-seed-{seed}", "test") for name in chosen for seed in (1, 2)}
    for trial in found.front:
        first, *repeats = found.over_seeds(trial)
        assert first == trial
        assert [r.config for r in repeats] == [
            trial.config.model_copy(update={"seed": seed}) for seed in (1, 2)
        ]
        assert len({run.test.weights for run in (first, *repeats)}) == 3
        victims = [load_file(r.folder / "test.safetensors")["originals"] for r in (first, *repeats)]
        assert all(v.equal(victims[0]) for v in victims)
    again = here()
    assert sweep(tiny(seeds=3), folder, again).repeats == found.repeats
    assert again.ran == []


def test_page_shows_the_spread_over_seeds(seeded):
    folder, found, _ = seeded
    page = write_sweep(found, folder, Limits()).read_text(encoding="utf-8")
    assert "; with 3 seeds " in page
    assert "on test images, further seeds" in page
    assert "±" in page
    audited = read_report(folder / "audit" / "report.json").models
    assert {model.seed for model in audited} == {0, 1, 2}
    assert len({model.defense for model in audited}) == len(audited) / 3


def test_seed_that_fails_costs_the_trial_nothing(copied, here, tiny):
    def fails(job):
        return "no luck" if job.config.seed == 1 else attempt(job)

    found = sweep(tiny(seeds=2), copied, here(fails))
    assert found.front
    assert all(t.state != "failed" for t in found.trials)
    assert all(found.over_seeds(t) == [t] for t in found.front)
    page = write_sweep(found, copied, Limits()).read_text(encoding="utf-8")
    assert ", seed 1</dt><dd>no luck" in page
    assert sweep(tiny(seeds=2), copied, here()).over_seeds(found.vanilla)[1].test
