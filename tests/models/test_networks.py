"""Networks: those of the paper have sizes as printed, cuts where the paper puts them."""

import pytest
import torch
from torch import nn

from mixcon.errors import ConfigError, CutError
from mixcon.models import NETWORKS, build, lenet5, mlp, vgg16
from mixcon.testing import check_network

# name, shape, classes, shape of one representation, parameters of the encoder and of the head
EXPECTED = [
    ("mlp", (10,), 2, (2,), 500 * 11 + 2 * 501, 100 * 3 + 2 * 101),
    ("mlp-deeper", (10,), 2, (2,), 500 * 11 + 2 * 501, 100 * 3 + 2 * 100 * 101 + 2 * 101),
    ("mlp-wider", (10,), 2, (2,), 500 * 11 + 2 * 501, 2048 * 3 + 2 * 2049),
    ("mlp-leaky", (10,), 2, (2,), 500 * 11 + 2 * 501, 100 * 3 + 2 * 101),
    ("mlp-leaky-deeper", (10,), 2, (2,), 500 * 11 + 2 * 501, 100 * 3 + 2 * 100 * 101 + 2 * 101),
    ("mlp-leaky-wider", (10,), 2, (2,), 500 * 11 + 2 * 501, 2048 * 3 + 2 * 2049),
    # LeCun's count for the fully-connected part: 48120 + 10164 + 850
    ("lenet5", (1, 28, 28), 10, (16, 5, 5), 156 + 2416, 59134),
    ("lenet5", (3, 32, 32), 10, (16, 5, 5), 456 + 2416, 59134),
    # convolutions 14,714,688 in all (Simonyan & Zisserman's configuration D), batch norm 2 x 4224
    ("vgg16", (3, 32, 32), 10, (128, 8, 8), 260160 + 2 * 384, 14454528 + 2 * 3840 + 5130),
    ("vgg16-narrow", (3, 32, 32), 10, (32, 8, 8), 16656 + 2 * 96, 904128 + 2 * 960 + 1290),
    # our own; each block: two 3 x 3, a 1 x 1 and three batch norms, none with a bias
    (
        "resnet",
        (1, 64, 64),
        40,
        (128, 2, 2),
        9 * 32
        + 2 * 32
        + (9 * 32 * 32 + 9 * 32 * 32 + 32 * 32 + 6 * 32)
        + (9 * 32 * 64 + 9 * 64 * 64 + 32 * 64 + 6 * 64)
        + (9 * 64 * 128 + 9 * 128 * 128 + 64 * 128 + 6 * 128),
        64 * 129 + 40 * 65,
    ),
    ("audio", (1, 128), 4, (16, 8), 16 * 10 + 16 * 145, 64 * 129 + 4 * 65),
    # each block: two norms, attention's two layers, and two more
    (
        "transformer",
        (20, 205),
        6,
        (20, 64),
        64 * 225 + (4 * 64 + 192 * 65 + 64 * 65 + 128 * 65 + 64 * 129),
        (4 * 64 + 192 * 65 + 64 * 65 + 128 * 65 + 64 * 129) + 2 * 64 + 64 * 65 + 6 * 65,
    ),
]
expected = pytest.mark.parametrize(
    ("name", "shape", "classes", "sent", "encoder", "head"),
    EXPECTED,
    ids=[f"{name}-{shape[0]}" for name, shape, *_ in EXPECTED],
)


def size(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_every_network_is_tested():
    assert {name for name, *_ in EXPECTED} == set(NETWORKS)


@expected
def test_contract(name, shape, classes, sent, encoder, head):
    check_network(NETWORKS[name].build, shape, classes, NETWORKS[name].cut)


@expected
def test_sizes_and_cuts_are_as_printed(name, shape, classes, sent, encoder, head):
    model = build(name, shape, classes)
    x = torch.rand(2, *shape)
    assert model.release(x).shape == (2, *sent)
    assert size(model.encoder) == encoder
    assert size(model.head) == head


@pytest.mark.parametrize(("side", "left"), [(28, 4), (63, 8), (64, 2), (224, 7)])
def test_a_residual_network_takes_any_size(side, left):
    model = build("resnet", (3, side, side), 2).eval()
    assert model.release(torch.rand(1, 3, side, side)).shape == (1, 128, left, left)
    with pytest.raises(ConfigError, match="at least 16 pixels"):
        build("resnet", (1, 15, 64), 2)


def test_a_residual_block_adds_what_it_was_given():
    block = build("resnet", (1, 28, 28), 2, cut="block1").eval().encoder.block1
    with torch.no_grad():
        block.inner[-1].weight.zero_()
    x = torch.rand(2, 32, 28, 28)
    assert torch.allclose(block(x), block.shortcut(x).relu())


@expected
def test_any_layer_but_the_last_can_be_the_cut(name, shape, classes, sent, encoder, head):
    net = NETWORKS[name].build(shape, classes)
    *names, last = [child for child, _ in net.named_children()]
    for cut in names:
        model = build(name, shape, classes, cut=cut)
        assert list(dict(model.encoder.named_children())) == names[: names.index(cut) + 1]
    with pytest.raises(CutError, match=last):
        build(name, shape, classes, cut=last)


def test_the_mlp_sends_numbers_from_before_the_activation():
    torch.manual_seed(0)
    assert (build("mlp", (10,), 2).release(torch.randn(50, 10)) < 0).any()


def test_the_cnns_send_numbers_from_behind_activation_and_pooling():
    for name in ("lenet5", "vgg16"):
        assert (build(name, (3, 32, 32), 10).release(torch.randn(2, 3, 32, 32)) >= 0).all()


def test_lenet5_equals_a_hand_written_forward():
    torch.manual_seed(0)
    net = lenet5((1, 28, 28), 10)
    x = torch.rand(2, 1, 28, 28)
    h = nn.functional.pad(x, (2, 2, 2, 2))
    for conv in (net.conv1, net.conv2):
        h = nn.functional.conv2d(h, conv.weight, conv.bias).relu()
        h = h.unfold(2, 2, 2).unfold(3, 2, 2).amax((-1, -2))
    h = h.reshape(2, 400)
    h = (h @ net.fc1.weight.T + net.fc1.bias).relu()
    h = (h @ net.fc2.weight.T + net.fc2.bias).relu()
    torch.testing.assert_close(net(x), h @ net.fc3.weight.T + net.fc3.bias)


def test_the_channel_is_passed_on():
    assert isinstance(build("mlp", (10,), 2, channel=nn.Tanh()).channel, nn.Tanh)


def test_an_unknown_network_gets_the_nearest_and_all_known():
    with pytest.raises(ConfigError, match=r"mlp, .*vgg16, .*or .*but got 'lenet'.*mean 'lenet5'\?"):
        build("lenet", (1, 28, 28), 10)


@pytest.mark.parametrize(
    ("name", "shape", "wanted"),
    [
        ("mlp", (1, 28, 28), r"\(numbers,\)"),
        ("lenet5", (1, 8, 8), "28 x 28 or 32 x 32"),
        ("lenet5", (1, 28, 32), "28 x 28 or 32 x 32"),
        ("lenet5", (2, 28, 28), "1 or 3 channels"),
        ("lenet5", (784,), r"got shape \(784,\)"),
        ("vgg16", (1, 28, 28), "32 x 32 pixels for vgg16"),
    ],
)
def test_a_shape_that_does_not_fit_is_refused(name, shape, wanted):
    with pytest.raises(ConfigError, match=wanted):
        build(name, shape, 10)


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (lambda: mlp(0), "at least 1 input"),
        (lambda: mlp(10, 1), "at least 2 classes"),
        (lambda: mlp(head="higher"), "default, deeper, wider, but got 'higher'"),
        (lambda: mlp(activation="gelu"), "relu, leaky-relu, but got 'gelu'"),
        (lambda: lenet5((1, 28, 28), 1), "at least 2 classes"),
        (lambda: vgg16((3, 32, 32), 0), "at least 2 classes"),
    ],
)
def test_settings_out_of_range_are_refused(call, wanted):
    with pytest.raises(ConfigError, match=wanted):
        call()
