"""Trials trained as one stack: the same networks, folders and judgments as one after another."""

import pytest
import torch
from safetensors.torch import load_file

from mixcon.attacks import Rmle
from mixcon.defenses import DefenseConfig
from mixcon.sweep import Job, LocalPool, sweep
from mixcon.sweep.job import run
from mixcon.sweep.stacking import train_together
from mixcon.training import RunFolder

pytestmark = pytest.mark.usefixtures("small")


def jobs(folder, tiny, lams=(0.01, 0.1)):
    base = tiny().base
    for lam in lams:
        config = base.model_copy(
            update={"defense": DefenseConfig.parse(f"mixcon(weight={lam}, beta=0.01)")}
        )
        yield Job(f"mixcon-{lam}", "mixcon", config, "cheap", (Rmle(steps=5),), folder / str(lam),
                  3, accelerator="cpu")  # fmt: skip


def test_a_stack_equals_its_trials(tmp_path, tiny):
    together, alone = list(jobs(tmp_path / "a", tiny)), list(jobs(tmp_path / "b", tiny))
    told = []
    train_together(together, "cpu", told.append)
    shares = [progress.share for progress in told]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 1  # what is left is to judge them
    assert all(RunFolder(job.folder).finished for job in together)
    for one, other in zip(together, alone, strict=True):
        run(one)
        run(other)
        stacked, single = (load_file(j.folder / "model.safetensors") for j in (one, other))
        assert all(torch.allclose(stacked[k], single[k], atol=1e-4) for k in single)
        first, last = RunFolder(one.folder).read_metrics()
        expected = RunFolder(other.folder).read_metrics()
        assert first["separability"] == expected[0]["separability"]
        assert last["test_accuracy"] == pytest.approx(expected[-1]["test_accuracy"], abs=0.03)


def test_what_diverges_is_left_to_be_trained_alone(tmp_path, tiny):
    fine, diverging = jobs(tmp_path, tiny, (0.1, 1e30))
    train_together([fine, diverging], "cpu")
    assert RunFolder(fine.folder).finished
    assert not diverging.folder.exists()


def test_sweep_stacks_where_it_pays(tmp_path, tiny, monkeypatch):
    """The pool's own processes would see all digits: they find every network trained already."""
    stacks = []
    monkeypatch.setattr("mixcon.sweep.engine.stacking_pays", lambda device: True)
    monkeypatch.setattr(
        "mixcon.sweep.engine.train_together", lambda jobs, *_: stacks.append(len(jobs))
    )
    monkeypatch.setattr(LocalPool, "submit", lambda *_: pytest.fail("stacked"))
    with pytest.raises(pytest.fail.Exception, match="stacked"):
        sweep(tiny(), tmp_path / "s", LocalPool(1), accelerator="cpu")
    assert stacks == [5]
