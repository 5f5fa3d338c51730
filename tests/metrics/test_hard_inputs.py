"""Every public metric on what it must not measure: wrong shapes, types and ranges, NaN, scales.

A wrong number here would make leakage look small.
"""

import inspect
import math
from dataclasses import dataclass

import pytest
import torch
from torch import nn

import mixcon.metrics
from mixcon.bounds import fisher_information_leakage, unbiased_error_bound
from mixcon.errors import ConfigError, NonFiniteError
from mixcon.metrics import (
    METRICS,
    LeakageMeter,
    Lpips,
    Recognizer,
    RecognizerDistance,
    class_mean,
    cosine,
    global_mean,
    label_leakage,
    measure,
    mixed_pairs,
    mse,
    nearest_neighbor,
    psim,
    psnr,
    recognition,
    reidentify,
    separability,
    ssim,
    train_recognizer,
)

LABELS = torch.arange(6) % 3
SEEN = Recognizer(1, 3).eval()
DISTANCE = RecognizerDistance(SEEN)


def samples(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


A, B = samples(6, 1, 28, 28), samples(6, 1, 28, 28).flip(0)


@dataclass(frozen=True)
class Case:
    """A metric as a function of (reconstruction, original)."""

    call: object
    images: bool  # it needs (N, C, H, W)


PAIRWISE = {
    **{name: Case(metric.function, metric.function is ssim) for name, metric in METRICS.items()},
    "measure": Case(lambda a, b: measure(a, b)["mse"], False),
    "psim": Case(lambda a, b: psim(a, b, DISTANCE), True),
    "RecognizerDistance": Case(DISTANCE, True),
    "Lpips": Case(Lpips(), True),
    "reidentify": Case(lambda a, b: reidentify(a, b, b).hit, False),
    "LeakageMeter": Case(lambda a, b: LeakageMeter(B).measure(a, b, LABELS)["mse"], False),
}
ONE_BATCH = {  # those that measure or guess from a batch of its own
    "recognition": lambda x: recognition(x, LABELS, SEEN),
    "separability": separability,
    "label_leakage": lambda x: label_leakage(x, LABELS, x, LABELS, 3, steps=1),
    "label_leakage, victims": lambda x: label_leakage(A, LABELS, x, LABELS, 3, steps=1),
    "nearest_neighbor": lambda x: nearest_neighbor(A, LABELS, x, x, LABELS),
    "nearest_neighbor, victims": lambda x: nearest_neighbor(A, LABELS, A, x, LABELS),
    "nearest_neighbor, samples": lambda x: nearest_neighbor(x, LABELS, A, A, LABELS),
    "global_mean": lambda x: global_mean(x, 2),
    "class_mean": lambda x: class_mean(x, LABELS, LABELS),
    "fisher_information_leakage": lambda x: fisher_information_leakage(nn.Identity(), x, 0.1),
    "unbiased_error_bound": lambda x: unbiased_error_bound(nn.Identity(), x, 0.0),
    "train_recognizer": lambda x: train_recognizer(x, LABELS, 3, 0, steps=1),
}
# These take no samples; they are tested beside their values.
OTHER = {"bootstrap_interval", "chance_level", "metric_named", "mixed_pairs"}


def test_every_public_metric_is_here():
    registered = {metric.function.__name__ for metric in METRICS.values()}
    functions = {
        name for name in mixcon.metrics.__all__ if inspect.isfunction(getattr(mixcon.metrics, name))
    }
    assert functions <= set(PAIRWISE) | set(ONE_BATCH) | registered | OTHER
    assert set(METRICS) <= set(PAIRWISE)


@pytest.fixture(params=PAIRWISE)
def case(request):
    return PAIRWISE[request.param]


@pytest.mark.parametrize(
    "shapes",
    [
        ((2, 1, 28, 28), (2, 3, 28, 28)),
        ((1, 1, 28, 28), (6, 1, 28, 28)),
        ((6, 1, 28, 28), (6, 28, 28)),
        ((6, 1, 1, 1), (6, 1, 28, 28)),
        ((28,), (28,)),
        ((), ()),
        ((6, 0), (6, 0)),
    ],
    ids=str,
)
def test_shapes_that_do_not_compare_are_refused(case, shapes):
    with pytest.raises(ConfigError, match="expected"):
        case.call(*(samples(*shape) for shape in shapes))


@pytest.mark.parametrize("shape", [(28, 28), (6, 28, 28), (6, 784), (1, 6, 1, 28, 28)], ids=str)
@pytest.mark.parametrize("name", [name for name, case in PAIRWISE.items() if case.images])
def test_image_metrics_refuse_what_are_no_images(name, shape):
    with pytest.raises(ConfigError, match=r"images \(N, C, H, W\)"):
        PAIRWISE[name].call(samples(*shape), samples(*shape))


def test_integers_are_refused(case):
    """`uint8` wraps around: 0 - 255 is 1, and would look like a good reconstruction."""
    black, white = (torch.full((6, 1, 28, 28), v, dtype=torch.uint8) for v in (0, 255))
    for a, b in ((black, white), (A, white), (black, A)):
        with pytest.raises(ConfigError, match="floating type"):
            case.call(a, b)


@pytest.mark.parametrize("name", [name for name in PAIRWISE if name != "Lpips"])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("side", [0, 1])
def test_bad_numbers_show(name, bad, side):
    pair = [A.clone(), B.clone()]
    pair[side][2, 0, 5, 5] = bad
    try:
        values = PAIRWISE[name].call(*pair)
    except NonFiniteError:
        return
    assert not values[2].isfinite() or (bad == math.inf and values[2] <= 0)
    assert values[[0, 1, 3, 4, 5]].isfinite().all()


@pytest.mark.parametrize("data_range", [0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("metric", [ssim, psnr])
def test_a_data_range_that_is_none_is_refused(metric, data_range):
    with pytest.raises(ConfigError, match="data_range"):
        metric(A, B, data_range=data_range)


@pytest.mark.parametrize("name", ["measure", "psim", "LeakageMeter"])
def test_images_outside_of_the_unit_range_are_refused(name):
    for a, b in ((255 * A, B), (A, 255 * B), (A - 0.5, B)):
        with pytest.raises(ConfigError, match=r"\[0, 1\]"):
            PAIRWISE[name].call(a, b)
    PAIRWISE[name].call((A * (1 + 1e-6)), B)  # rounding is no reason


@pytest.mark.parametrize("scale", [1e-36, 1e-21, 1e-9, 1e21, 1e34])
def test_scale_does_not_hide_a_copy(scale):
    x = scale * A
    torch.testing.assert_close(cosine(x, A), torch.ones(6))
    torch.testing.assert_close(cosine(x, B), cosine(A, B))
    for metric in (ssim, psnr):
        torch.testing.assert_close(
            metric(x, scale * B, data_range=scale), metric(A, B), rtol=1e-4, atol=1e-4
        )
    others = samples(20, 1, 28, 28).flip(2)
    assert reidentify(x, A, others).hit.all()
    assert reidentify(x.flatten(1), x.flatten(1), scale * others.flatten(1)).hit.all()
    torch.testing.assert_close(nearest_neighbor(A, LABELS, x, x, LABELS), A)
    assert label_leakage(x, LABELS, x, LABELS, 3, steps=40).all()
    near, far = separability(x, normalize=True), separability(A, normalize=True)
    assert near.minimum == pytest.approx(far.minimum, rel=1e-4)
    assert near.mean == pytest.approx(far.mean, rel=1e-4)


@pytest.mark.parametrize("scale", [1e-30, 1e-21, 1e18])
def test_scale_of_representation_and_noise_does_not_count_for_the_bound(scale):
    x = samples(3, 5)
    expected = fisher_information_leakage(lambda x: 2 * x, x, 0.1)
    got = fisher_information_leakage(lambda x: scale * 2 * x, x, scale * 0.1)
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_measured_in_float32(dtype):
    a, b = A.to(dtype), B.to(dtype)
    for metric in (mse, psnr, ssim, cosine):
        torch.testing.assert_close(metric(a, b), metric(a.float(), b.float()))


@pytest.mark.parametrize("name", ONE_BATCH)
@pytest.mark.parametrize(
    "x", [samples(6), samples(), torch.ones(6, 1, 28, 28, dtype=torch.uint8)], ids=["6", "-", "u"]
)
def test_one_batch_of_the_wrong_kind_is_refused(name, x):
    with pytest.raises(ConfigError, match="expected"):
        ONE_BATCH[name](x)


@pytest.mark.parametrize("name", ONE_BATCH)
def test_bad_numbers_show_in_one_batch(name):
    x = A.clone()
    x[1, 0, 3, 3] = math.nan
    if name in {"global_mean", "class_mean", "nearest_neighbor, samples"}:
        guesses = ONE_BATCH[name](x)
        assert guesses.isnan().any()
    elif "fisher" in name or "bound" in name:
        found = fisher_information_leakage(lambda x: x**3, x, 0.1)
        assert found.isnan().tolist() == [False, True, False, False, False, False]
    else:
        with pytest.raises(NonFiniteError, match="finite numbers in"):
            ONE_BATCH[name](x)


def test_labels_and_pairs_that_do_not_fit_are_refused():
    for labels in (LABELS[:5], LABELS[:, None], LABELS.float()):
        for call in (
            lambda y: recognition(A, y, SEEN),
            lambda y: class_mean(A, y, LABELS),
            lambda y: nearest_neighbor(A, y, A, A, LABELS),
            lambda y: nearest_neighbor(A, LABELS, A, A, y),
            lambda y: label_leakage(A, y, A, LABELS, 3, steps=1),
            lambda y: label_leakage(A, LABELS, A, y, 3, steps=1),
            lambda y: LeakageMeter(B).measure(A, B, y),
        ):
            with pytest.raises(ConfigError, match="label"):
                call(labels)
    for labels in (LABELS.float(), LABELS[:, None], LABELS[:0], torch.tensor(1)):
        with pytest.raises(ConfigError, match="label"):
            mixed_pairs(labels)
    with pytest.raises(ConfigError, match="from 0 to 2"):
        recognition(A, LABELS + 1, SEEN)
    with pytest.raises(ConfigError, match="channels"):
        recognition(A.expand(-1, 3, -1, -1), LABELS, SEEN)
    for pairs in ([[0, 6]], [[-1, 0]], [[0, 1, 2]], [0, 1]):
        with pytest.raises(ConfigError, match="pair"):
            separability(A, pairs=torch.tensor(pairs))
    for floor in (lambda: global_mean(A[:0], 3), lambda: class_mean(A[:0], LABELS[:0], LABELS)):
        with pytest.raises(ConfigError, match="auxiliary"):
            floor()


def test_negative_labels_are_classes_like_others():
    assert torch.equal(mixed_pairs(LABELS - 7), mixed_pairs(LABELS))
