"""How hard an audit tried, compared with the strongest attacks."""

from dataclasses import replace

import pytest

from mixcon.attacks import QueryFree, Rmle, strongest
from mixcon.audit import effort_of


def effort(attacks, inputs="image"):
    return effort_of(attacks, inputs=inputs, victims=7, thorough=True)


@pytest.mark.parametrize("inputs", ["image", "vector"])
def test_the_strongest_are_complete(inputs):
    found = effort(strongest(inputs), inputs)
    assert (found.budget, found.missing, found.victims, found.thorough) == (1.0, [], 7, True)
    assert effort(strongest(inputs, 2), inputs).budget == 1.0  # the paper's keeps its own steps


@pytest.mark.parametrize("budget", [0.1, 0.5])
def test_the_least_of_the_attacks_decides(budget):
    assert effort(strongest("image", budget)).budget == pytest.approx(budget)
    mixed = [a if a.name == "refined" else b for a, b in zip(
        strongest("image", budget), strongest("image"), strict=True)]  # fmt: skip
    assert effort(mixed).budget == pytest.approx(budget)


def test_one_attack_is_not_all():
    found = effort([Rmle().scaled(0.1), QueryFree(steps=1)])
    assert found.budget == 0.1
    assert found.missing == [a.name for a in strongest("image") if a.name != "rmle"]
    assert effort([]).budget == 0.0


def test_an_attack_with_settings_of_its_own_does_not_count():
    attacks = [replace(a, lr=1e-9) if a.name == "rmle" else a for a in strongest("image")]
    assert effort(attacks).missing == ["rmle"]


def test_another_attack_of_the_same_name_does_not_count():
    class Rmle2(Rmle):
        pass

    assert "rmle" in effort([Rmle2()]).missing
