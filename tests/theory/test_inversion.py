"""The gradient attack on networks made from formulas, and the experiment around it."""

import json

import pytest
import torch

from mixcon.attacks import Rmle, WhiteBox
from mixcon.paper import EXPERIMENTS, Result, RunOptions
from mixcon.paper.inversion import invert_by_gradient
from mixcon.theory import ReductionNetwork, random_e3sat, solve

EASY = random_e3sat(12, 24, bound=10, seed=1)
UNSATISFIABLE = random_e3sat(8, 80, bound=80, seed=0)
BUDGET = {"starts": 16, "rounds": 2, "steps": 60}


def test_it_inverts_what_is_easy():
    network = ReductionNetwork(EASY, bound=10)
    shares = []
    found = invert_by_gradient(network, **BUDGET, on_round=shares.append)
    assert found.unsatisfied == 0
    assert EASY.unsatisfied(network.decode(found.x[None])).tolist() == [0]
    assert network.distance(found.x[None]).item() == 0
    assert found.starts == 16 * len(shares) <= 32
    assert shares == [0.5, 1.0][: len(shares)]
    again = invert_by_gradient(network, **BUDGET)
    assert torch.equal(again.x, found.x)


def test_it_cannot_invert_what_has_no_inverse():
    assert solve(UNSATISFIABLE).satisfiable is False
    network = ReductionNetwork(UNSATISFIABLE)
    found = invert_by_gradient(network, **BUDGET)
    assert found.starts == 32
    assert found.unsatisfied >= 1
    assert network.distance(found.x[None]).item() > 0
    assert found.x.abs().max() <= 1


def test_as_they_stand_the_copies_drown_the_clauses():
    """The gradient attack on the plain distance ends at the corner that is nearest to its start."""
    formulas = [random_e3sat(30, 90, bound=30, seed=seed) for seed in range(3)]
    for cnf in formulas:
        network = ReductionNetwork(cnf, bound=30)
        plain = invert_by_gradient(network, **BUDGET, standardize=False)
        assert plain.unsatisfied == plain.guessed > 0
        standardized = invert_by_gradient(network, **BUDGET)
        assert standardized.unsatisfied < plain.unsatisfied


def test_the_middle_is_no_start():
    network = ReductionNetwork(EASY)
    attack = Rmle(steps=20).fit(WhiteBox.of(network, shape=(12,), box=(-1.0, 1.0)))
    assert torch.equal(attack(network.target[None]), torch.zeros(1, 12, dtype=torch.float64))


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    job = RunOptions("smoke", tmp_path_factory.mktemp("work"), (0, 1))
    return job, EXPERIMENTS["hardness"].run(job, "mixcon reproduce hardness --scale smoke")


def test_the_experiment_counts_what_it_recorded(smoke):
    _, result = smoke
    cells, instances = result.data["cells"], result.data["instances"]
    assert len(instances) == 8
    assert sum(cell["formulas"] for cell in cells) == 8
    attacked = [i for i in instances if i["satisfiable"]]
    assert sum(cell["satisfiable"] for cell in cells) == len(attacked)
    done = sum(i["gradient"]["unsatisfied"] == 0 for i in attacked)
    assert sum(cell["inverted"] for cell in cells) == done > 0
    assert all(all(check.holds) for check in result.checks if "share" not in check.claim)
    shares = [row for row in result.rows if "inverted" in row.quantity]
    assert sum(sum(row.ours) for row in shares) == 100 * done
    assert "python-sat" in result.data["solver"]


def test_the_experiment_resumes_and_draws_from_its_json(smoke):
    job, result = smoke
    again = EXPERIMENTS["hardness"].run(job, "again")
    assert again.data == result.data
    shares = []
    kept = sorted((job.work / "hardness").iterdir())
    kept[0].unlink()
    lossy = RunOptions(
        job.scale, job.work, job.seeds, on_progress=lambda step: shares.append(step.share)
    )
    anew = EXPERIMENTS["hardness"].run(lossy, "anew")
    assert shares == sorted(shares)
    outcomes = [[i.get("gradient", {}).get("unsatisfied") for i in r.data["instances"]]
                for r in (result, anew)]  # fmt: skip
    assert outcomes[0] == outcomes[1]
    read = Result.model_validate(json.loads(result.model_dump_json()))
    figure = EXPERIMENTS["hardness"].draw(read)["hardness.svg"]
    assert figure == EXPERIMENTS["hardness"].draw(result)["hardness.svg"]
    assert b"</svg>" in figure
