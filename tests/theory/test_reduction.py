"""Theorem B.10, claim by claim."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mixcon.errors import ConfigError
from mixcon.theory import (
    Cnf,
    ReductionNetwork,
    guaranteed_fraction,
    holds_as_stated,
    lipschitz_bounds,
    random_e3sat,
    rounding_loss,
    satisfying_assignments,
    solution_epsilon,
    solve,
    spectral_norm,
    stated_distance,
    stated_fraction,
    stated_lipschitz_bound,
    unsatisfied_bound,
    value_epsilon,
)

HUGE = 10**7


@st.composite
def instances(draw, most=8, bound=3):
    """A formula of E3SAT(B), n <= 3 m, and the B it is drawn for."""
    n = draw(st.integers(3, most))
    b = draw(st.integers(1, bound))
    n -= n % 3 if b == 1 else 0  # else they do not divide
    m = draw(st.integers(math.ceil(n / 3), n * b // 3))
    return random_e3sat(n, m, bound=b, seed=draw(st.integers(0, 10**6))), b


def points(network, seed, count=64):
    """Random x: all over the box, near to corners, and on the lines where the bound is tightest."""
    generator = torch.Generator().manual_seed(seed)
    shape = (count, network.cnf.variables)
    corner = torch.randint(0, 2, shape, generator=generator).double() * 2 - 1
    far = torch.rand(shape, generator=generator, dtype=torch.float64)
    near = far / network.bound
    tight = network.cnf.occurrences / network.copies
    return torch.cat([corner * (1 - gap) for gap in (far, near, tight * (far > 0.5), 0 * far)])


def climb(network, x, steps=60):
    """Adversarial x: gradient ascent on how far the corner is above what inequality (6) allows."""
    x = x.clone().requires_grad_()
    optimizer = torch.optim.Adam([x], lr=0.02 / network.bound**2)
    for _ in range(steps):
        corner = network.encode(network.decode(x))
        gain = network.distance(corner).square() - network(x).sub(network.target).square().sum(1)
        (x.grad,) = torch.autograd.grad(-gain.sum(), x)
        optimizer.step()
        x.data.clamp_(-1, 1)
    return x.detach()


def literally(cnf, bound, x):
    """h_phi by the paper's words, for one x, without a matrix."""
    clauses = [
        max(0.0, sum(math.copysign(1, i) * x[abs(i) - 1] for i in clause) - 2)
        for clause in cnf.clauses
    ]
    return clauses + [abs(value) for value in x for _ in range(100 * bound**2)]


@settings(max_examples=15, deadline=None)
@given(instances(most=5, bound=2), st.integers(0, 99))
def test_the_literal_form_is_the_papers(case, seed):
    cnf, b = case
    network = ReductionNetwork(cnf, bound=b, form="literal")
    m, n = len(cnf.clauses), cnf.variables
    assert network.w1.shape == (m + 200 * b**2 * n, n)
    assert network.w2.shape == (m + 100 * b**2 * n, m + 200 * b**2 * n)
    assert network.stated_outputs == len(network.target)
    x = points(network, seed, count=1)
    expected = torch.tensor([literally(cnf, b, row) for row in x.tolist()], dtype=torch.float64)
    torch.testing.assert_close(network(x), expected)
    assert network.target.tolist() == [0.0] * m + [1.0] * (100 * b**2 * n)


@settings(max_examples=10, deadline=None)
@given(instances(most=5, bound=2), st.integers(0, 99))
def test_both_forms_have_the_same_distances(case, seed):
    cnf, b = case
    compact, literal = (ReductionNetwork(cnf, bound=b, form=f) for f in ("compact", "literal"))
    x = points(compact, seed)
    torch.testing.assert_close(compact.distance(x), literal.distance(x))
    torch.testing.assert_close(value_epsilon(compact, x), value_epsilon(literal, x))
    assert spectral_norm(compact.w1) == pytest.approx(spectral_norm(literal.w1), rel=1e-3)


@pytest.mark.parametrize("form", ["compact", "literal"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_completeness(form, dtype):
    found = 0
    for seed in range(20):
        cnf = random_e3sat(8, 24, bound=9, seed=seed)
        solved = solve(cnf)
        if solved.satisfiable:
            found += 1
            bounds = (9, HUGE) if form == "compact" else (9,)
            for bound in bounds:
                network = ReductionNetwork(cnf, bound=bound, form=form, dtype=dtype)
                assert torch.equal(
                    network(network.encode(solved.assignment[None]))[0], network.target
                )
    assert found > 5


@settings(max_examples=20, deadline=None)
@given(instances())
def test_only_satisfying_corners_reach_the_target(case):
    cnf, b = case
    network = ReductionNetwork(cnf, bound=b)
    every = torch.tensor(list(itertools.product([False, True], repeat=cnf.variables)))
    distance = network.distance(network.encode(every))
    assert distance.square().round().long().tolist() == cnf.unsatisfied(every).tolist()
    solutions = satisfying_assignments(cnf)
    assert {tuple(a.tolist()) for a in solutions} == {
        tuple(a.tolist()) for a in every[distance == 0]
    }
    inside = network.encode(every) * 0.999
    assert (network.distance(inside) > 0).all()


@settings(max_examples=30, deadline=None)
@given(instances(most=12, bound=5), st.integers(0, 99))
def test_soundness_for_every_bound(case, seed):
    cnf, b = case
    for bound in (b, 3 * b):
        network = ReductionNetwork(cnf, bound=bound)
        start = points(network, seed, count=16)
        for x in (start, climb(network, start)):
            unsatisfied = cnf.unsatisfied(network.decode(x)).double()
            corner = network.distance(network.encode(network.decode(x))).square()
            gained = corner - network.distance(x).square()
            torch.testing.assert_close(corner, unsatisfied)
            assert (gained <= rounding_loss(network) + 1e-9).all()
            assert (unsatisfied <= unsatisfied_bound(network, x) + 1e-9).all()
            within = network.distance(x) <= stated_distance(network)
            share = 1 - unsatisfied / len(cnf.clauses)
            assert (share[within] >= guaranteed_fraction(network) - 1e-9).all()


def test_the_rounding_inequality_is_tight():
    """One clause, B = 1: the adversary gets within a hair of what (6) allows, and not past it."""
    network = ReductionNetwork(Cnf(3, ((1, 2, 3),)))
    x = climb(network, torch.full((1, 3), 0.9, dtype=torch.float64), steps=2000)
    gained = 1 - network.distance(x).square().item()
    allowed = rounding_loss(network)
    assert allowed == pytest.approx(3 / 100)
    assert 0.95 * allowed < gained <= allowed
    squared = torch.full((1, 3), 1 - 1 / 103, dtype=torch.float64)  # where the slope is exactly 0
    assert gained == pytest.approx(1 - network.distance(squared).square().item(), rel=1e-3)


@settings(max_examples=30, deadline=None)
@given(instances(most=40, bound=9), st.integers(0, 99))
def test_soundness_as_stated_at_ten_million(case, seed):
    cnf, _ = case
    network = ReductionNetwork(cnf, bound=HUGE)
    assert cnf.variables <= 3 * len(cnf.clauses)
    generator = torch.Generator().manual_seed(seed)
    shape = (256, cnf.variables)
    satisfying = solve(cnf).assignment
    corner = torch.randint(0, 2, shape, generator=generator).bool()
    if satisfying is not None:  # else hardly any corner is near enough to the target
        flip = torch.rand(shape, generator=generator) < torch.linspace(0, 0.2, 256)[:, None]
        corner = satisfying ^ flip
    gap = torch.rand(shape, generator=generator, dtype=torch.float64) / HUGE
    gap *= torch.logspace(-2, 0, 256, dtype=torch.float64)[:, None]
    x = network.encode(corner) * (1 - gap)
    within = network.distance(x) <= stated_distance(network)
    share = 1 - cnf.unsatisfied(network.decode(x)) / len(cnf.clauses)
    assert (share[within] >= stated_fraction(HUGE)).all()
    if satisfying is not None:
        assert within.any()


def test_soundness_as_stated_bites():
    """With many clauses a corner may miss some and stay within the distance, but never 1/8."""
    cnf = random_e3sat(300, 200, bound=4, seed=0)
    network = ReductionNetwork(cnf, bound=HUGE)
    corner = solve(cnf).assignment.repeat(cnf.variables + 1, 1)
    corner[1:] ^= torch.eye(cnf.variables, dtype=torch.bool)
    x = network.encode(corner)
    unsatisfied = cnf.unsatisfied(corner)
    within = network.distance(x) <= stated_distance(network)
    assert (within & (unsatisfied > 0)).any()
    assert guaranteed_fraction(network) >= stated_fraction(HUGE)
    assert (1 - unsatisfied / 200 >= guaranteed_fraction(network))[within].all()


def test_the_last_step_holds_from_where_the_docstring_says():
    assert not holds_as_stated(183_673)
    assert holds_as_stated(183_674)
    assert holds_as_stated(HUGE)
    assert not holds_as_stated(1)
    assert stated_fraction(1600) == 1


@settings(max_examples=20, deadline=None)
@given(instances(most=10, bound=5), st.integers(0, 99))
def test_lipschitz(case, seed):
    cnf, b = case
    network = ReductionNetwork(cnf, bound=b)
    exact = [torch.linalg.matrix_norm(w.to_dense(), 2).item() for w in (network.w1, network.w2)]
    assert spectral_norm(network.w1) == pytest.approx(exact[0], rel=2e-3)
    assert spectral_norm(network.w2) == pytest.approx(exact[1], rel=1e-6) == math.sqrt(2)
    low, high = lipschitz_bounds(network)
    assert low == 10 * b < high <= exact[0] * exact[1] * (1 + 1e-12)
    assert exact[0] * exact[1] <= stated_lipschitz_bound(network) <= 2 * 15 * b
    x, y = points(network, seed), points(network, seed + 100)
    apart = (x - y).norm(dim=1)
    stretched = (network(x) - network(y)).norm(dim=1)
    assert (stretched <= exact[0] * exact[1] * apart + 1e-9).all()


def test_lipschitz_lower_bound_is_reached():
    network = ReductionNetwork(random_e3sat(6, 10, bound=6, seed=0))
    x = torch.full((1, 6), 0.1, dtype=torch.float64)
    step = torch.zeros(1, 6, dtype=torch.float64)
    step[0, 2] = 1e-3
    stretched = (network(x + step) - network(x)).norm().item() / 1e-3
    assert stretched == pytest.approx(10 * network.bound)


@settings(max_examples=20, deadline=None)
@given(instances(), st.integers(0, 99))
def test_approximate_solutions_are_approximate_of_value(case, seed):
    """Definitions B.8 and B.9, and what leads from one to the other."""
    cnf, b = case
    network = ReductionNetwork(cnf, bound=b)
    solutions = satisfying_assignments(cnf)
    if not len(solutions):
        return
    at = network.encode(solutions)
    assert solution_epsilon(at, at).tolist() == [0.0] * len(at)
    assert value_epsilon(network, at).tolist() == [0.0] * len(at)
    x = points(network, seed)
    expected = [min((row - s).norm().item() for s in at) / math.sqrt(x.shape[1]) for row in x]
    assert solution_epsilon(x, at).tolist() == pytest.approx(expected, abs=1e-7)
    shrunk = math.sqrt(cnf.variables / network.stated_outputs)
    assert shrunk < 1 / (10 * b)
    allowed = stated_lipschitz_bound(network) * shrunk * solution_epsilon(x, at)
    assert (value_epsilon(network, x) <= allowed + 1e-9).all()
    within = network.distance(x) <= stated_distance(network)
    assert torch.equal(within, value_epsilon(network, x) <= 1 / (60 * b))


def test_refusals():
    cnf = random_e3sat(9, 12, bound=6, seed=0)
    with pytest.raises(ConfigError, match=f"B >= {cnf.bound}"):
        ReductionNetwork(cnf, bound=cnf.bound - 1)
    with pytest.raises(ConfigError, match="the compact form has 30"):
        ReductionNetwork(cnf, bound=1000, form="literal")
    with pytest.raises(ConfigError, match="'compact' or 'literal', but got 'other'"):
        ReductionNetwork(cnf, form="other")
    network = ReductionNetwork(cnf)
    with pytest.raises(ConfigError, match=r"x in \[-1, 1\]\^n, but got 1.5"):
        value_epsilon(network, torch.full((1, 9), 1.5))
    with pytest.raises(ConfigError, match="at least one solution"):
        solution_epsilon(torch.zeros(1, 9), torch.zeros(0, 9))
