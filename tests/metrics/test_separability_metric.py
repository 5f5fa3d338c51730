"""Separability against SciPy and plain loops."""

import subprocess
import sys

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from scipy.spatial.distance import pdist

from mixcon.errors import ConfigError, NonFiniteError
from mixcon.metrics import mixed_pairs, separability


@pytest.mark.parametrize("chunk", [3, 7, 50, 1000])
@pytest.mark.parametrize("normalize", [False, True])
def test_equals_scipy(chunk, normalize):
    z = torch.randn(50, 2, 3, generator=torch.Generator().manual_seed(0))
    rows = z.flatten(1).double().numpy()
    if normalize:
        rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    d = pdist(rows)
    got = separability(z, normalize=normalize, chunk=chunk)
    assert (got.minimum, got.maximum, got.mean) == pytest.approx(
        (d.min(), d.max(), d.mean()), rel=1e-9
    )
    assert got.count == 50


def test_near_and_exact_duplicates_far_from_the_origin():
    z = 1e4 + torch.arange(12, dtype=torch.float64).reshape(6, 2)
    z[5] = z[0] + torch.tensor([3e-9, 4e-9])
    assert separability(z).minimum == pytest.approx(5e-9, rel=1e-2)
    z[5] = z[0]
    assert separability(z).minimum == 0


def test_maximum_runs_over_the_given_pairs_only():
    z = torch.tensor([[0.0], [1.0], [5.0], [7.0]])
    assert separability(z, pairs=torch.tensor([[0, 1], [2, 3]])).maximum == 2
    assert separability(z).maximum == 7


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=30))
def test_mixed_pairs_equal_plain_loops(labels):
    classes = sorted(set(labels))
    members = {c: [i for i, label in enumerate(labels) if label == c] for c in classes}
    p = min(len(m) for m in members.values())
    expected = {
        tuple(sorted((members[a][i], members[b][i])))
        for i in range(p)
        for a in classes
        for b in classes
        if a < b
    }
    got = mixed_pairs(torch.tensor(labels)).tolist()
    assert len(got) == len(expected)
    assert {tuple(pair) for pair in got} == expected


def test_bad_input():
    with pytest.raises(ConfigError, match="two representations"):
        separability(torch.randn(1, 3))
    with pytest.raises(NonFiniteError):
        separability(torch.tensor([[1.0], [torch.nan]]))


def test_memory_does_not_grow_with_the_square():
    code = (
        "import resource, torch; from mixcon.metrics import separability\n"
        "torch.set_num_threads(1); z = torch.randn(12_000, 40)\n"
        "separability(z[:3000])\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak(); separability(z); print(peak() - before)"
    )
    grown = int(
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    )
    unit = 1 if sys.platform == "darwin" else 1024
    assert grown * unit < 100 * 2**20  # one 12,000 x 12,000 float64 matrix takes 1.1 GiB
