"""The exponents of Theorem B.10's experiment, on work that is known to grow at a given rate."""

import numpy as np
import pytest

from mixcon.paper._exponents import attack_exponent, exponents_by_ratio, outgrown, solver_exponent

STARTS = 64


def _attacked(slope, sizes, formulas=40, batches=4):
    """Networks whose starts succeed at rate 2^(4 - slope n), as the experiment sees them."""
    generator = np.random.default_rng(0)
    rows = []
    for n in sizes:
        success = -np.expm1(-STARTS * 2.0 ** (4 - slope * n))
        for drawn in generator.random((formulas, batches)) < success:
            rows.append((n, int(drawn.argmax()) + 1 if drawn.any() else batches, bool(drawn.any())))
    return [list(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize(
    ("slope", "sizes"), [(0.1, (10, 20, 40, 80, 160)), (0.3, (10, 20, 30, 35, 40))]
)
def test_the_attacks_exponent_is_found_within_its_interval(slope, sizes):
    found = attack_exponent(*_attacked(slope, sizes), STARTS)
    assert found.low < slope < found.high
    assert found.value == pytest.approx(slope, abs=0.05)


def test_success_up_to_one_size_and_none_beyond_sets_no_upper_end():
    """All of 20 variables, none of 80: a steeper slope fits at least as well."""
    found = attack_exponent(
        [20] * 9 + [80] * 9, [1] * 9 + [4] * 9, [True] * 9 + [False] * 9, STARTS
    )
    assert found.high is None
    assert found.low > 0
    assert str(found).endswith("up")


def test_the_solvers_exponent_is_that_of_its_conflicts():
    sizes = [10, 20, 40, 80] * 5
    found = solver_exponent(sizes, [2 ** (n // 10) - 1 for n in sizes])
    assert (found.value, found.low) == pytest.approx((0.1, 0.1))


def test_only_ratios_at_which_some_networks_resist_have_exponents():
    def record(n, ratio, unsatisfied):
        gradient = {"unsatisfied": unsatisfied, "starts": 4 * STARTS if unsatisfied else STARTS}
        solver = {"conflicts": n // 20}
        return {"n": n, "ratio": ratio, "satisfiable": True, "gradient": gradient, "solver": solver}

    easy = [record(n, 2.0, 0) for n in (20, 80)]
    mixed = [record(n, 4.0, int(n > 40)) for n in (20, 80) for _ in range(10)]
    found = exponents_by_ratio(easy + mixed, STARTS)
    assert list(found) == [4.0]
    assert outgrown(found)[0].holds == [True]
    assert outgrown({}) == []
