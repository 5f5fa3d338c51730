"""Every loss, as a function and as a module made on the spot, in the loops that people write."""

import shutil

import pytest
import torch
from torch.func import grad, hessian, jvp, vmap

from mixcon.losses import (
    BARRIERS,
    LOSSES,
    Barrier,
    distance_correlation,
    mixcon_loss,
    unicon_loss,
)

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # torch's own use

FUNCTIONS = {"mixcon": mixcon_loss, "unicon": unicon_loss, "nopeek": distance_correlation}
FORMS = {
    **{f"{name}, function": function for name, function in FUNCTIONS.items()},
    **{f"{name}, module": lambda z, a, kind=kind: kind()(z, a) for name, kind in LOSSES.items()},
}
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def batch(form, dtype):
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(12, 5, generator=generator, dtype=torch.float64).to(dtype)
    inputs = torch.rand(12, 1, 3, 3, generator=generator).to(dtype)
    return z, inputs if form.startswith("nopeek") else torch.arange(12) % 3


def eager(form, z, against):
    """The loss and its gradient as plain autograd has them."""
    z = z.clone().requires_grad_()
    loss = FORMS[form](z, against)
    return loss.detach(), *torch.autograd.grad(loss, z)


def alike(got, expected, dtype):
    """Equal up to the rounding of representations of that type."""
    loose = 1e-10 if dtype is torch.float64 else 20 * torch.finfo(dtype).eps
    torch.testing.assert_close(got, expected, rtol=loose, atol=loose)


def test_every_loss_has_both_forms():
    assert set(FUNCTIONS) == set(LOSSES)


@pytest.fixture(params=DTYPES, ids=str)
def dtype(request):
    return request.param


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_validation(form, dtype, context):
    z, against = batch(form, dtype)
    expected = eager(form, z, against)[0]
    with context():
        alike(FORMS[form](z, against), expected, dtype)
        alike(FORMS[form](z.clone(), against.clone()), expected, dtype)


def test_torch_func(form, dtype):
    z, against = batch(form, dtype)
    loss, gradient = eager(form, z, against)
    function = FORMS[form]
    alike(grad(function)(z, against), gradient, dtype)
    value, along = jvp(lambda z: function(z, against), (z,), (z,))
    alike(value, loss, dtype)
    assert along.isfinite()
    assert hessian(lambda z: function(z, against))(z).isfinite().all()


@pytest.mark.parametrize("dims", [(0, None), (0, 0)], ids=["shared", "batched"])
def test_vmap(form, dtype, dims):
    z, against = batch(form, dtype)
    zs = torch.stack([z, z.flip(0)])
    many = against if dims[1] is None else torch.stack([against, against])
    expected = [eager(form, part, against) for part in zs]
    alike(vmap(FORMS[form], dims)(zs, many), torch.stack([e[0] for e in expected]), dtype)
    got = vmap(grad(FORMS[form]), dims)(zs, many)
    alike(got, torch.stack([e[1] for e in expected]), dtype)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64], ids=str)
def test_compile(form, dtype):
    torch._dynamo.reset()
    z, against = batch(form, dtype)
    loss, gradient = eager(form, z, against)
    compiled = torch.compile(FORMS[form], fullgraph=True, backend="aot_eager")
    leaf = z.clone().requires_grad_()
    got = compiled(leaf, against)
    alike(got.detach(), loss, dtype)
    alike(*torch.autograd.grad(got, leaf), gradient, dtype)
    with torch.no_grad():
        alike(compiled(z, against), loss, dtype)


def test_compile_of_a_gradient():
    torch._dynamo.reset()
    z, y = batch("mixcon", torch.float32)
    gradient = torch.compile(grad(mixcon_loss), fullgraph=True, backend="aot_eager")(z, y)
    alike(gradient, eager("mixcon, function", z, y)[1], torch.float32)


@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler: install g++")
def test_compile_by_inductor():
    torch._dynamo.reset()
    z, y = batch("mixcon", torch.float32)
    compiled = torch.compile(mixcon_loss, fullgraph=True)
    alike(compiled(z, y), mixcon_loss(z, y), torch.float32)
    assert compiled(z.index_fill(0, torch.tensor([11]), torch.nan), y).isnan()


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_a_barrier_can_be_made_anywhere(context):
    terms = BARRIERS["logarithmic"].terms
    z, y = batch("mixcon", torch.float64)
    expected = mixcon_loss(z, y, barrier="logarithmic")
    with context():
        alike(mixcon_loss(z, y, barrier=Barrier("mine", terms)), expected, torch.float64)
    got = vmap(lambda z: mixcon_loss(z, y, barrier=Barrier("mine", terms)))(z[None])
    alike(got[0], expected, torch.float64)
