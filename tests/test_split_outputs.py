"""Networks whose halves give something else than one tensor, or remember what they were asked."""

import copy
from dataclasses import dataclass

import pytest
import torch
from tests.calling import Calling
from torch import nn

from mixcon.audit import Subject, run_audit
from mixcon.data import load
from mixcon.errors import CutError
from mixcon.split import SplitModel, check_steady, split_model


class Answer(dict):
    """As the outputs of Hugging Face models are: a dict with attributes."""

    def __init__(self, logits):
        super().__init__(logits=logits)
        self.logits = logits


@dataclass
class Record:
    logits: torch.Tensor


class Net(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.a, self.b, self.answer = nn.Linear(3, 3), nn.Linear(3, 2), answer

    def forward(self, x):
        h = self.a(x)
        return self.answer(self.b(h), h)


ANSWERS = {
    "a dict of 'logits', 'h'": lambda y, h: {"logits": y, "h": h},
    "a tuple of 2": lambda y, h: (y, h),
    "a dict of 'logits'": lambda y, h: Answer(y),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_an_output_of_several_parts_is_refused_with_the_way_out(what):
    with pytest.raises(CutError, match=rf"that of Net is {what}; wrap it .* 'logits'"):
        split_model(Net(ANSWERS[what]), "a")


def test_an_output_that_only_a_call_shows_is_refused_by_the_call():
    model = split_model(Net(lambda y, h: Record(y)), "a")
    with pytest.raises(CutError, match=r"the head, .* but it gives a Record; wrap it"):
        model(torch.rand(2, 3))


class Logits(nn.Module):
    """The way out."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)["logits"]


def test_the_way_out_works():
    net = Net(lambda y, h: Answer(y))
    model = split_model(Logits(net), "net.a")
    x = torch.rand(4, 3)
    torch.testing.assert_close(model(x), net(x)["logits"])


class Recurrent(nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.cell, self.last = cell, nn.Linear(4, 2)

    def forward(self, x):
        return self.last(self.cell(x)[0][:, -1])


class First(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x)[0]


def test_a_layer_of_several_outputs_is_named():
    cell = nn.LSTM(3, 4, batch_first=True)
    with pytest.raises(CutError, match=r"the layer 'cell' at the cut .* a tuple of 2; wrap it"):
        split_model(Recurrent(cell), "cell").represent(torch.rand(2, 5, 3))
    net = nn.Sequential(First(cell), nn.Flatten(), nn.Linear(20, 2))
    assert split_model(net, "0")(torch.rand(2, 5, 3)).shape == (2, 2)


class Join(nn.Module):
    def __init__(self):
        super().__init__()
        self.line = nn.Linear(3, 3)

    def forward(self, a, b):
        return self.line(a) + b


class Joined(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.join, self.c = (
            nn.Linear(3, 3),
            nn.Linear(3, 3),
            Join(),
            nn.Linear(3, 2),
        )

    def forward(self, x):
        return self.c(self.join(self.a(x), self.b(x)))


def test_a_block_of_several_inputs_can_be_the_cut_or_lie_on_one_side():
    net, x = Joined(), torch.rand(2, 3)
    torch.testing.assert_close(split_model(net, "join")(x), net(x))
    with pytest.raises(CutError, match=r"needs .* at 'join'"):
        split_model(net, "a")


class Several(nn.Module):
    """Gives more than the logits; one of the values is made in place."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 2)

    def forward(self, x):
        hidden = self.a(x)
        mean = (2 * x).mean()
        hidden.mul_(2)
        return {"logits": self.b(hidden), "mean": mean}


def test_an_output_that_a_wrapper_leaves_out_keeps_no_layer_from_being_cut():
    net, x = Logits(Several()), torch.rand(2, 3)
    torch.testing.assert_close(split_model(net, "net.a")(x), net(x))


class Remembers(nn.Module):
    def __init__(self):
        super().__init__()
        self.seen = None

    def forward(self, z):
        z = z if self.seen is None else z + self.seen
        self.seen = z.detach()
        return z


class Counts(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(()))

    def forward(self, z):
        return z + self.count.add_(1)


@pytest.mark.parametrize(("part", "what"), [(Remembers, "seen"), (Counts, "count")])
def test_a_half_that_remembers_is_refused_and_named(part, what):
    x = torch.rand(2, 3)
    model = split_model(nn.Sequential(nn.Linear(3, 3), nn.ReLU(), part(), nn.Linear(3, 2)), "1")
    with pytest.raises(CutError, match=rf"head .* '2' \({what}\) keeps a state"):
        check_steady(model, x)
    model = split_model(nn.Sequential(nn.Linear(3, 3), part(), nn.Linear(3, 2)), "1")
    with pytest.raises(CutError, match=f"encoder .*{what}"):
        check_steady(model, x)


def test_chance_dropout_and_batch_norm_are_no_memory():
    class Noise(nn.Module):
        def forward(self, z):
            return z + torch.randn_like(z)

    net = nn.Sequential(nn.Linear(3, 3), Noise(), nn.BatchNorm1d(3), nn.Dropout(), nn.Linear(3, 2))
    model = split_model(net, "1").train()
    x, before = torch.rand(4, 3), copy.deepcopy(model.state_dict())
    drawn = torch.get_rng_state()
    check_steady(model, x)
    assert model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), drawn)


def test_an_audit_refuses_a_head_that_remembers():
    data = load("digits")
    head = nn.Sequential(Remembers(), nn.Linear(784, 10))
    with pytest.raises(CutError, match="'0' \\(seen\\)"):
        run_audit([Subject(SplitModel(nn.Flatten(), head))], data, [], victims=2)


@pytest.mark.parametrize("mixes", [lambda z: z - z.mean(0), lambda z: z.squeeze()])
def test_a_half_whose_answer_depends_on_the_batch_is_refused(mixes):
    """A device has no batch to take a mean of, and no second sample to keep a dimension."""
    layers = [nn.Linear(3, 3), Calling(mixes), nn.ReLU(), nn.Linear(3, 2)]
    for cut, half in (("0", "head"), ("1", "encoder")):
        with pytest.raises(CutError, match=f"expected the {half} to answer each input by itself"):
            check_steady(split_model(nn.Sequential(*layers), cut), torch.rand(2, 3))
    model = SplitModel(nn.Linear(3, 3), nn.Linear(3, 2), Calling(mixes))
    with pytest.raises(CutError, match="expected the channel to answer each input by itself"):
        check_steady(model, torch.rand(2, 3))


class Reads(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, z):
        return self.layer(z.real.float() if z.is_complex() else z.float())


@pytest.mark.parametrize(
    "make",
    [
        lambda x: torch.complex(x, x),
        lambda x: 1e9 + x.double(),
        lambda x: (1e12 * x).long() + 1,
    ],
)
def test_numbers_that_an_audit_would_not_see_whole_are_refused(make):
    model = SplitModel(Calling(make), Reads())
    with pytest.raises(CutError, match="releases torch"):
        check_steady(model, torch.rand(2, 3))


@pytest.mark.parametrize("make", [lambda x: x.half(), lambda x: (255 * x).byte(), lambda x: x > 0])
def test_smaller_types_are_as_good_as_floats(make):
    check_steady(SplitModel(Calling(make), Reads()), torch.rand(2, 3))
