"""Inputs that share one z: no attacker tells them apart."""

import pytest
import torch

from mixcon.bounds import best_in_cells, cells, likeness_in_cells
from mixcon.metrics import mse, ssim


@pytest.fixture
def pictures():
    torch.manual_seed(0)
    smooth = torch.nn.functional.avg_pool2d(torch.rand(12, 1, 20, 20), 5, 1)
    return smooth, (torch.arange(12) % 4)[:, None].float()


def test_equal_z_equal_cell():
    z = torch.tensor([[1.0, -1], [1, 1], [1, -1], [-1, -1]])
    cell = cells(z)
    assert cell[0] == cell[2]
    assert len(cell.unique()) == 3


def test_no_function_of_z_has_a_smaller_squared_error(pictures):
    x, z = pictures
    best = mse(best_in_cells(z, x), x).mean()
    for _ in range(20):
        rival = best_in_cells(z, x) + 0.02 * torch.randn(4, *x.shape[1:])[cells(z)]
        assert mse(rival, x).mean() > best
    assert mse(best_in_cells(z[:, :1] * 0, x), x).mean() > best  # fewer cells, larger error


def test_a_cell_of_its_own_bounds_nothing(pictures):
    x, _ = pictures
    assert torch.equal(best_in_cells(torch.arange(12.0)[:, None], x), x)


def test_likeness_is_no_worse_than_that_of_the_mean(pictures):
    x, z = pictures
    found = likeness_in_cells(z, x, steps=60)
    per_cell = [
        (ssim(found, x) - ssim(best_in_cells(z, x), x))[cells(z) == c].sum() for c in range(4)
    ]
    assert min(per_cell) >= -1e-6
    assert sum(per_cell) > 0.01
    assert len(found.flatten(1).unique(dim=0)) == 4
