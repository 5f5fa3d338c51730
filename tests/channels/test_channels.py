"""What every channel keeps to, and what each one does to the numbers."""

import copy

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from mixcon.channels import (
    CHANNELS,
    Dropout,
    GaussianNoise,
    LaplaceNoise,
    Normalize,
    Quantize,
    compose,
)
from mixcon.errors import ConfigError
from mixcon.testing import check_channel

SETTINGS = {
    "normalize": {},
    "gaussian": {"sigma": 0.3},
    "laplace": {"scale": 0.3},
    "dropout": {"rate": 0.4},
    "quantize": {"bits": 3},
}
RANDOM = {"gaussian", "laplace", "dropout"}
DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
every = pytest.mark.parametrize("name", SETTINGS)


def make(name, training=False):
    channel = CHANNELS[name](**SETTINGS[name])
    channel(torch.linspace(-2, 2, 50).reshape(10, 5))  # a quantizer has to see numbers first
    return channel.train(training)


def seeded(channel, z, seed=0):
    torch.manual_seed(seed)
    return channel(z)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


# The contract


@every
@pytest.mark.parametrize("given", [(7,), (2, 3, 5)])
def test_contract(name, given):
    check_channel(CHANNELS[name](**SETTINGS[name]), given, dtypes=DTYPES)
    assert make(name)(torch.randn(4)).shape == (4,)  # a number a sample


@every
def test_it_acts_in_evaluation_mode_as_in_training(name):
    z = torch.linspace(-2, 2, 50).reshape(10, 5)  # within the range of the quantizer
    evaluated, trained = (seeded(make(name, training), z) for training in (False, True))
    assert torch.equal(evaluated, trained)
    assert not torch.equal(evaluated, z)


@every
def test_vmap_gives_each_slice_its_own_noise(name):
    channel = make(name)
    z = torch.randn(2, 5).expand(3, 2, 5)
    out = torch.func.vmap(channel, randomness="different")(z)
    if name in RANDOM:
        assert not torch.equal(out[0], out[1])
    else:
        torch.testing.assert_close(out, torch.stack([channel(part) for part in z]))


@every
def test_the_representation_shows_the_settings(name):
    settings = ", ".join(f"{key}={value:g}" for key, value in SETTINGS[name].items())
    assert repr(make(name)) == f"{CHANNELS[name].__name__}({settings})"


@pytest.mark.parametrize(
    ("build", "wanted"),
    [
        *((lambda v=v: GaussianNoise(v), "sigma.*>= 0") for v in (-1e-9, float("nan"), torch.inf)),
        *((lambda v=v: LaplaceNoise(v), "scale.*>= 0") for v in (-1, float("nan"), True, "1")),
        *((lambda v=v: Dropout(v), r"rate.*\[0, 1\)") for v in (-0.1, 1, float("nan"), "0.5")),
        *((lambda v=v: Quantize(v), "bits.*1 to 16") for v in (0, 17, 2.5, float("nan"), True)),
    ],
)
def test_bad_settings_are_refused(build, wanted):
    with pytest.raises(ConfigError, match=f"expected {wanted}.*but got"):
        build()


# normalize


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1e-3, 1.0, 3e4])  # 3e4 squared overflows in float16
def test_normalize_gives_unit_length(dtype, size):
    z = size * torch.randn(8, 3, 4, 4, dtype=torch.float64).clamp(-2, 2)
    out = Normalize()(z.to(dtype)).double()
    lengths = np.linalg.norm(out.numpy().reshape(8, -1), axis=1)
    np.testing.assert_allclose(lengths, 1, rtol=4 * torch.finfo(dtype).eps)
    cosine = nn.functional.cosine_similarity(out.flatten(1), z.flatten(1))
    torch.testing.assert_close(cosine, torch.ones_like(cosine), rtol=1e-4, atol=0)


def test_normalize_has_the_gradient_of_a_division_by_the_norm():
    z = torch.randn(5, 6, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(5, 6, dtype=torch.float64)
    (Normalize()(z) * weights).sum().backward()
    u = (z / z.norm(dim=1, keepdim=True)).detach()
    by_hand = (weights - u * (u * weights).sum(1, keepdim=True)) / z.norm(dim=1, keepdim=True)
    torch.testing.assert_close(z.grad, by_hand.detach())


@pytest.mark.parametrize("dtype", DTYPES)
def test_normalize_leaves_zero_at_zero(dtype):
    z = torch.zeros(3, 4, dtype=dtype, requires_grad=True)
    out = Normalize()(z)
    out.sum().backward()
    assert not out.any()
    assert z.grad.isfinite().all()


# noise


@pytest.mark.parametrize(
    ("channel", "distribution"),
    [(GaussianNoise(0.5), stats.norm(0, 0.5)), (LaplaceNoise(0.5), stats.laplace(0, 0.5))],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_noise_has_its_distribution(channel, distribution, dtype):
    z = torch.full((200, 500), 2.0, dtype=dtype)
    noise = (channel(z) - z).double().numpy().ravel()
    assert stats.kstest(noise, distribution.cdf).pvalue > 0.01
    tail = distribution.isf(1e-3)
    assert np.mean(np.abs(noise) > tail) == pytest.approx(2e-3, rel=0.2)
    np.testing.assert_allclose(noise.std(), distribution.std(), rtol=0.01)


@pytest.mark.parametrize("channel", [GaussianNoise(0), LaplaceNoise(0), Dropout(0)])
def test_no_noise_changes_nothing(channel):
    z = torch.randn(4, 5)
    assert torch.equal(channel(z), z)


def test_dropout_zeroes_its_share_and_leaves_the_rest():
    z = torch.randn(400, 250) + 10
    out = Dropout(0.3)(z)
    dropped = out == 0
    assert torch.equal(out[~dropped], z[~dropped])
    deviation = (0.3 * 0.7 / z.numel()) ** 0.5
    assert dropped.double().mean().item() == pytest.approx(0.3, abs=4 * deviation)


def test_dropout_stops_the_gradient_of_what_it_drops():
    z = (torch.rand(20, 20) + 1).requires_grad_()
    out = Dropout(0.5)(z)
    out.sum().backward()
    assert torch.equal(z.grad, (out != 0).float())


# quantize


def trained(bits, *batches):
    channel = Quantize(bits)
    for batch in batches:
        channel(batch)
    return channel.eval()


@pytest.mark.parametrize("bits", [1, 3, 8, 16])
def test_quantize_equals_the_formula_in_numpy(bits):
    seen = torch.randn(50, 20, dtype=torch.float64)
    channel = trained(bits, seen).double()
    z = 2 * torch.randn(50, 20, dtype=torch.float64)
    low, high = channel.low.item(), channel.high.item()
    assert (low, high) == pytest.approx((seen.min().item(), seen.max().item()))
    step = (high - low) / (2**bits - 1)
    codes = np.rint((np.clip(z.numpy(), low, high) - low) / step)
    np.testing.assert_array_equal(channel.codes(z).numpy(), codes)
    np.testing.assert_allclose(channel(z).numpy(), low + step * codes, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bits", [1, 2, 5, 16])
def test_quantize_sends_no_more_than_its_levels(bits, dtype):
    z = torch.randn(300, 300).to(dtype)
    channel = trained(bits, z)
    out = channel(z)
    codes = channel.codes(z)
    wide = torch.promote_types(dtype, torch.float32)
    assert codes.dtype == torch.int32
    assert (codes.min(), codes.max()) == (0, 2**bits - 1)
    assert len(out.unique()) <= 2**bits
    assert torch.equal(out, (channel.low + channel.scale * codes.to(wide)).to(dtype))
    error = (out.double() - z.double()).abs().max()
    assert error <= channel.scale / 2 + torch.finfo(dtype).eps * z.abs().max()


def test_quantize_of_two_bits_by_hand():
    channel = trained(2, torch.tensor([[0.0, 3.0]]))
    z = torch.tensor([[-5.0, 0.4, 0.6, 1.4, 2.6, 9.0]])
    assert channel.codes(z).tolist() == [[0, 0, 1, 1, 3, 3]]
    assert channel(z).tolist() == [[0.0, 0.0, 1.0, 1.0, 3.0, 3.0]]


def test_quantize_passes_the_gradient_inside_its_range_only():
    channel = trained(2, torch.tensor([[0.0, 3.0]]))
    z = torch.tensor([[-5.0, 0.0, 0.4, 2.6, 3.0, 9.0]], requires_grad=True)
    (channel(z) * torch.tensor([[1.0, 2, 3, 4, 5, 6]])).sum().backward()
    assert z.grad.tolist() == [[0, 2, 3, 4, 5, 0]]


def test_quantize_tracks_the_range_in_training_only():
    channel = Quantize(4)
    ranges = []
    for batch in ([0.0, 1.0], [-1.0, 3.0]):
        channel(torch.tensor([batch]))
        ranges.append((channel.low.item(), channel.high.item()))
    assert ranges[0] == (0, 1)
    assert ranges[1] == pytest.approx((-0.1, 1.2))
    channel.eval()(torch.tensor([[-9.0, 9.0]]))
    channel.train().codes(torch.tensor([[-9.0, 9.0]]))
    assert (channel.low.item(), channel.high.item()) == ranges[1]


def test_quantize_survives_a_constant_representation():
    z = torch.full((3, 4), 0.7, requires_grad=True)
    out = Quantize(4)(z)
    out.sum().backward()
    assert torch.equal(out, z)
    assert z.grad.isfinite().all()


def test_quantize_without_a_range_says_what_to_do():
    z = torch.randn(2, 3)
    for use in (Quantize(4).eval(), Quantize(4).codes):
        with pytest.raises(ConfigError, match=r"seen no batch; run one .* training mode"):
            use(z)


def test_the_range_travels_with_the_state():
    z = torch.randn(5, 5)
    channel = trained(4, z)
    loaded = nn.Sequential(Quantize(4).eval())
    loaded.load_state_dict(nn.Sequential(channel).state_dict())
    assert torch.equal(loaded(z), channel(z))
    assert torch.equal(copy.deepcopy(channel)(z), channel(z))
    unseen = Quantize(4).eval()
    unseen.load_state_dict(Quantize(4).state_dict())
    with pytest.raises(ConfigError, match="seen no batch"):
        unseen(z)


def test_stacked_quantizers_observe_each_their_own_range():
    z = torch.randn(3, 8, 4) * torch.tensor([1.0, 10, 100]).reshape(3, 1, 1)
    copies = [Quantize(4) for _ in range(3)]
    parameters, buffers = torch.func.stack_module_state(copies)
    base = Quantize(4)

    def run(buffers, z):
        return torch.func.functional_call(base, (parameters, buffers), (z,))

    out = torch.func.vmap(run)(buffers, z)
    assert torch.equal(out, torch.stack([one(part) for one, part in zip(copies, z, strict=True)]))
    assert torch.equal(buffers["high"], z.amax((1, 2)))


# composition


def test_composition_runs_from_left_to_right():
    z = torch.randn(6, 5)
    channel = compose(Normalize(), GaussianNoise(0.1), Quantize(4))
    torch.manual_seed(0)
    by_hand = Quantize(4)(GaussianNoise(0.1)(Normalize()(z)))
    assert torch.equal(seeded(channel, z), by_hand)


def test_the_empty_composition_changes_nothing():
    z = torch.randn(6, 5)
    assert torch.equal(compose()(z), z)
