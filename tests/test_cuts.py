"""Where a network can be cut: costs computed by hand, reasons where it cannot, the verb."""

import copy
import json

import pytest
import torch
from torch import nn

from mixcon.cli import app
from mixcon.errors import ConfigError, CutError
from mixcon.models import lenet5
from mixcon.split import Cost, list_cuts

# Outputs times weights of each: 28 x 28 x 6 of 5 x 5, 10 x 10 x 16 of 6 x 5 x 5, then 400 to 120
# to 84 to 10; parameters with one bias an output channel.
CONV1, CONV2 = Cost(156, 117_600), Cost(2416, 240_000)
FC1, FC2, FC3 = Cost(48_120, 48_000), Cost(10_164, 10_080), Cost(850, 840)


def total(*costs):
    return Cost(sum(c.parameters for c in costs), sum(c.multiply_adds for c in costs))


@pytest.mark.parametrize(
    ("layer", "shape", "device", "cloud"),
    [
        ("conv1", (6, 28, 28), [CONV1], [CONV2, FC1, FC2, FC3]),
        ("pool2", (16, 5, 5), [CONV1, CONV2], [FC1, FC2, FC3]),
        ("relu4", (84,), [CONV1, CONV2, FC1, FC2], [FC3]),
    ],
)
def test_lenet5_as_computed_by_hand(layer, shape, device, cloud):
    found = {cut.layer: cut for cut in list_cuts(lenet5((1, 28, 28), 10), (1, 28, 28))}
    cut = found[layer]
    assert (cut.shape, cut.device, cut.cloud) == (shape, total(*device), total(*cloud))
    assert cut.bytes == 4 * torch.Size(shape).numel()
    assert found["fc3"].reason == "the last one of the network"


class Odd(nn.Module):
    """Attention, a recurrent layer, a skip connection, and layers that are used twice or never."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 8)
        self.skipped = nn.Linear(8, 8)
        self.twice = nn.ReLU()
        self.block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.recurrent = nn.LSTM(8, 8, batch_first=True)
        self.norm = nn.BatchNorm1d(5)
        self.never = nn.Linear(2, 2)
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        x = self.twice(self.first(x))
        x = self.twice(x + self.skipped(x))
        x = self.block(x)
        x, _ = self.recurrent(x)
        return self.last(self.norm(x))


def test_fused_layers_are_counted_too():
    found = {cut.layer: cut for cut in list_cuts(Odd(), (5, 8))}
    linear, attention = 5 * 8 * 8, 4 * (5 * 8 * 8) + 2 * (5 * 5 * 8)
    encoder = 2 * linear + attention + 2 * (5 * 8 * 16)
    assert found["block"].device.multiply_adds == encoder
    assert found["norm"].device.multiply_adds == encoder + 2 * 4 * linear
    assert found["norm"].cloud == Cost(27, 5 * 8 * 3)


def test_where_there_is_no_cut_the_reason_is_short():
    found = {cut.layer: cut for cut in list_cuts(Odd(), (5, 8))}
    assert list(found)[:3] == ["first", "skipped", "twice"]
    assert found["skipped"].reason == "the head also needs the output of 'twice'"
    assert found["twice"].reason == "'twice' is called 2 times"
    assert found["never"].reason == "'never' is called 0 times"
    assert found["recurrent"].reason == "it gives a tuple of 2"
    assert not found["never"].possible
    assert found["first"].possible
    assert all(len(cut.reason) <= 90 for cut in found.values())


def test_the_network_is_left_as_it_was():
    net = Odd().train()
    net.last.eval()
    before = copy.deepcopy(net.state_dict())
    list_cuts(net, (5, 8))
    assert net.training
    assert not net.last.training
    assert all(torch.equal(before[name], t) for name, t in net.state_dict().items())
    assert not any(m._forward_pre_hooks or m._forward_hooks for m in net.modules())


def test_layers_of_inner_blocks_come_before_the_block():
    net = nn.Sequential(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), nn.Linear(3, 2))
    assert [cut.layer for cut in list_cuts(net, (4,))] == ["0.0", "0.1", "0", "1"]


def test_a_network_without_any_cut_is_told_why_in_full():
    class TwoOutputs(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 3), nn.Linear(3, 2)

        def forward(self, x):
            return {"logits": self.b(self.a(x)), "aux": x.mean()}

    with pytest.raises(CutError, match=r"after none; of 'a': .*a dict of 'logits', 'aux'; wrap"):
        list_cuts(TwoOutputs(), (4,))


def test_samples_that_do_not_fit_are_named():
    with pytest.raises(CutError, match=r"takes samples of shape \(3,\), but Linear ends in Runtim"):
        list_cuts(nn.Linear(4, 2), (3,))


def test_the_verb_shows_every_number_and_marks_the_default(capsys):
    app(["cuts", "lenet5", "--shape", "1,28,28", "--classes", "10"], standalone_mode=False)
    lines = capsys.readouterr().out.splitlines()
    assert ["pool2", "*", "16", "x", "5", "x", "5", "1,600", "2,572", "357,600", "59,134",
            "58,920"] in [line.split() for line in lines]  # fmt: skip
    assert sum("*" in line for line in lines) == 1
    assert lines[-2:] == ["no cut after:", "fc3: the last one of the network"]


def test_the_verb_prints_json(capsys):
    words = ["cuts", "lenet5", "--shape", "1,28,28", "--classes", "10", "--json"]
    app(words, standalone_mode=False)
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["default"] == "pool2"
    (found,) = [cut for cut in outcome["cuts"] if cut["layer"] == "pool2"]
    assert (found["shape"], found["bytes"]) == ([16, 5, 5], 1600)
    assert found["device"]["parameters"] == 2572


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lenet", "--data", "digits"], "did you mean 'lenet5'"),
        (["lenet5"], "expected --data, or --shape and --classes"),
        (["lenet5", "--shape", "1,x", "--classes", "10"], "but got --shape 1,x"),
        (["lenet5", "--shape", "1,30,30", "--classes", "10"], "28 x 28"),
        (["mixcon.data.digits:digits", "--data", "digits"], "too many positional arguments"),
        (["mixcon.split:Sizes", "--data", "digits"], "missing a required argument"),
        (["operator:eq", "--shape", "7", "--classes", "2"], "but it returns bool"),
    ],
)
def test_mistakes_are_named(words, message):
    with pytest.raises((ConfigError, CutError), match=message):
        app(["cuts", *words], standalone_mode=False)


def test_train_with_a_wrong_cut_points_at_the_list(tmp_path):
    words = ["train", "--data", "digits", "--cut", "pol2", "--out", str(tmp_path / "run")]
    with pytest.raises(CutError, match=r"'pool2'.*mixcon cuts lenet5 --shape 1,28,28"):
        app(words, standalone_mode=False)
