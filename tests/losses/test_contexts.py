"""Every loss, as a function and as a module made on the spot, in the loops that people write."""

import shutil

import pytest
import torch
from torch.func import grad, vmap

from mixcon.losses import (
    BARRIERS,
    LOSSES,
    Barrier,
    distance_correlation,
    mixcon_loss,
    unicon_loss,
)
from mixcon.testing import check_loss
from mixcon.testing.loss import alike, eager, example

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # torch's own use

FUNCTIONS = {"mixcon": mixcon_loss, "unicon": unicon_loss, "nopeek": distance_correlation}
FORMS = {
    **{f"{name}, function": function for name, function in FUNCTIONS.items()},
    **{f"{name}, module": lambda z, a, kind=kind: kind()(z, a) for name, kind in LOSSES.items()},
}
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def kind(form):
    return "inputs" if form.startswith("nopeek") else "labels"


def test_every_loss_has_both_forms():
    assert set(FUNCTIONS) == set(LOSSES)


@pytest.fixture(params=DTYPES, ids=str)
def dtype(request):
    return request.param


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


def test_contract(form, dtype):
    check_loss(FORMS[form], kind(form), dtypes=(dtype,))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64], ids=str)
def test_compile(form, dtype):
    torch._dynamo.reset()
    z, against = example(kind(form), dtype)
    loss, gradient = eager(FORMS[form], z, against)
    compiled = torch.compile(FORMS[form], fullgraph=True, backend="aot_eager")
    leaf = z.clone().requires_grad_()
    got = compiled(leaf, against)
    alike(got.detach(), loss, dtype)
    alike(*torch.autograd.grad(got, leaf), gradient, dtype)
    with torch.no_grad():
        alike(compiled(z, against), loss, dtype)


def test_compile_of_a_gradient():
    torch._dynamo.reset()
    z, y = example("labels", torch.float32)
    gradient = torch.compile(grad(mixcon_loss), fullgraph=True, backend="aot_eager")(z, y)
    alike(gradient, eager(mixcon_loss, z, y)[1], torch.float32)


@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler: install g++")
def test_compile_by_inductor():
    torch._dynamo.reset()
    z, y = example("labels", torch.float32)
    compiled = torch.compile(mixcon_loss, fullgraph=True)
    alike(compiled(z, y), mixcon_loss(z, y), torch.float32)
    assert compiled(z.index_fill(0, torch.tensor([11]), torch.nan), y).isnan()


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_a_barrier_can_be_made_anywhere(context):
    terms = BARRIERS["logarithmic"].terms
    z, y = example("labels", torch.float64)
    expected = mixcon_loss(z, y, barrier="logarithmic")
    with context():
        alike(mixcon_loss(z, y, barrier=Barrier("mine", terms)), expected, torch.float64)
    got = vmap(lambda z: mixcon_loss(z, y, barrier=Barrier("mine", terms)))(z[None])
    alike(got[0], expected, torch.float64)
