"""The clamp that attacks and channels share: torch's values, a gradient of its own."""

import pytest
import torch

from mixcon._clamp import clamp

X = torch.tensor([-5.0, 0.0, 0.4, 3.0, 9.0])


def test_its_values_are_those_of_torch():
    with_nan = torch.cat([X, torch.tensor([torch.nan])])
    found = clamp(with_nan, 0.0, 3.0)
    torch.testing.assert_close(found, with_nan.clamp(0, 3), rtol=0, atol=0, equal_nan=True)
    bounds = torch.tensor(0.0), torch.tensor(3.0)
    assert torch.equal(clamp(X, *bounds), X.clamp(*bounds))


@pytest.mark.filterwarnings("ignore:.torch.jit")  # torch's own use
def test_its_gradient_is_1_on_the_bounds_too():
    x = X.clone().requires_grad_()
    clamp(x, 0.0, 3.0).sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 1, 0]
    _, moved = torch.func.jvp(lambda x: clamp(x, 0.0, 3.0), (X,), (torch.ones_like(X),))
    assert moved.tolist() == [0, 1, 1, 1, 0]
