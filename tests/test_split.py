"""Cutting networks: same function, shared layers, and a clear refusal where it cannot be done."""

import copy
from collections import OrderedDict

import pytest
import torch
from tests.calling import Calling
from torch import nn
from torch.nn import functional as F

from mixcon.errors import CutError
from mixcon.split import SplitModel, keep_inputs, split_model


def nested():
    """Sequentials within Sequentials, on (N, 1, 8, 8)."""
    features = nn.Sequential(
        nn.Conv2d(1, 2, 3),
        nn.BatchNorm2d(2),
        nn.Sequential(nn.ReLU(), nn.MaxPool2d(2)),
        nn.Conv2d(2, 3, 2),
    )
    classifier = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(12, 4))
    return nn.Sequential(OrderedDict(features=features, classifier=classifier))


class AlexLike(nn.Module):
    """A forward of its own around Sequentials, and a parameter of its own behind the cut."""

    def __init__(self):
        super().__init__()
        self.features = nested().features
        self.classifier = nn.Sequential(nn.Dropout(0.5), nn.Linear(12, 4))
        self.temperature = nn.Parameter(torch.tensor(1.7))
        self.register_buffer("mean", torch.tensor(0.3))

    def forward(self, x):
        x = self.features((x - self.mean) / torch.tensor(0.25))
        return self.classifier(torch.flatten(x, 1)) / self.temperature


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 2, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(2)
        self.conv2 = nn.Conv2d(2, 2, 3, padding=1)
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(self.conv2(self.relu(self.bn1(self.conv1(x)))) + x)


class ResLike(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 2, 3)
        self.layer1 = nn.Sequential(Block(), Block())
        self.fc = nn.Linear(2, 4)

    def forward(self, x):
        return self.fc(self.layer1(self.stem(x)).mean((2, 3)))


CUTS = [
    (nested, "features.0"),
    (nested, "features.2"),
    (nested, "features.2.0"),
    (nested, "features.3"),
    (nested, "features"),
    (nested, "classifier.0"),
    (AlexLike, "features.0"),
    (AlexLike, "features.2.1"),
    (AlexLike, "features"),
    (AlexLike, "classifier.0"),
    (ResLike, "stem"),
    (ResLike, "layer1.0"),
    (ResLike, "layer1"),
]
cuts = pytest.mark.parametrize(("make", "at"), CUTS)


def images(count=5):
    return torch.rand(count, 1, 8, 8, dtype=torch.float64)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def warmed_up(make):
    """In float64, with batch norm statistics that differ from those of a new network."""
    net = make().double()
    net(images(20))
    return net


@cuts
@pytest.mark.parametrize("training", [False, True])
def test_the_split_computes_what_the_network_computes(make, at, training):
    net = warmed_up(make).train(training)
    twin = copy.deepcopy(net)
    model = split_model(net, at)
    assert model.training is training
    model.train(training)
    x = images()
    outputs = []
    for module in (twin, model):
        torch.manual_seed(1)
        outputs.append(module(x))
    torch.testing.assert_close(outputs[1], outputs[0], rtol=0, atol=0)


@cuts
def test_the_representation_is_the_output_of_the_named_module(make, at):
    net = warmed_up(make).eval()
    seen = []
    net.get_submodule(at).register_forward_hook(lambda _module, _input, output: seen.append(output))
    x = images()
    net(x)
    torch.testing.assert_close(split_model(net, at).represent(x), seen[0], rtol=0, atol=0)


@cuts
def test_the_halves_divide_the_state_and_keep_its_names(make, at):
    net = make()
    model = split_model(net, at)
    encoder, head = (
        {name for name in half.state_dict() if not name.startswith("_tensor_constant")}
        for half in (model.encoder, model.head)
    )
    assert not encoder & head
    assert encoder | head == set(net.state_dict())
    for name, tensor in net.state_dict().items():
        half = model.encoder if name in encoder else model.head
        assert half.state_dict()[name].data_ptr() == tensor.data_ptr()


@cuts
def test_training_the_split_trains_the_network(make, at):
    net = warmed_up(make).eval()
    x = images()
    net(x).square().sum().backward()
    expected = [parameter.grad for parameter in net.parameters()]
    net.zero_grad()
    split_model(net, at)(x).square().sum().backward()
    for parameter, gradient in zip(net.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=0, atol=0)


@cuts
def test_deep_copies_and_state_dicts_round_trip(make, at):
    model = split_model(warmed_up(make), at).eval()
    x = images()
    expected = model(x).detach()
    duplicate = copy.deepcopy(model)
    other = split_model(make().double(), at).eval()
    other.load_state_dict(model.state_dict())
    for parameter in model.parameters():
        parameter.data.zero_()
    torch.testing.assert_close(duplicate(x), expected, rtol=0, atol=0)
    torch.testing.assert_close(other(x), expected, rtol=0, atol=0)


def test_splitting_leaves_the_network_as_it_was():
    net = AlexLike()
    net.features[1].eval()  # a frozen layer in a network that trains
    before = {name: dict(vars(module)) for name, module in net.named_modules()}
    state = copy.deepcopy(net.state_dict())
    split_model(net, "features.2")
    for name, module in net.named_modules():
        assert vars(module) == before[name]
    assert all(torch.equal(state[name], tensor) for name, tensor in net.state_dict().items())


def test_the_channel_stands_between_the_halves():
    class Double(nn.Module):
        def forward(self, z):
            return 2 * z

    net = nested().double().eval()
    model = split_model(net, "features", Double())
    x = images()
    h = net.features(x)
    torch.testing.assert_close(model.represent(x), h)
    torch.testing.assert_close(model.release(x), 2 * h)
    torch.testing.assert_close(model(x), net.classifier(2 * h))


def test_a_skip_connection_is_named_and_the_layer_that_joins_it_suggested():
    with pytest.raises(CutError, match=r"needs the output of 'stem'; .* at 'layer1\.0'"):
        split_model(ResLike(), "layer1.0.conv1")


def test_the_suggestion_may_lie_behind_the_cut():
    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c, self.d = (nn.Linear(3, 3) for _ in range(4))

        def forward(self, x):
            return self.d(self.c(self.b(self.a(x)) + x))

    with pytest.raises(CutError, match=r"needs the input 'x'; .* at 'c'"):
        split_model(Flat(), "a")


def test_a_module_called_twice_is_refused():
    with pytest.raises(CutError, match=r"'layer1\.0\.relu' is called 2 times"):
        split_model(ResLike(), "layer1.0.relu")


def test_a_module_that_is_only_a_container_is_refused():
    class Listed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])

        def forward(self, x):
            return self.layers[1](self.layers[0](x))

    x = torch.rand(2, 3)
    net = Listed()
    torch.testing.assert_close(split_model(net, "layers.0").represent(x), net.layers[0](x))
    with pytest.raises(CutError, match="'layers' is called 0 times"):
        split_model(net, "layers")


def test_a_repeated_layer_without_weights_does_not_hinder_slicing():
    relu = nn.ReLU()
    net = nn.Sequential(nn.Linear(3, 3), relu, nn.Linear(3, 3), relu, nn.Linear(3, 2))
    x = torch.rand(4, 3)
    for at in ("1", "3"):
        torch.testing.assert_close(split_model(net, at)(x), net(x), rtol=0, atol=0)
    assert [name for name, _ in split_model(net, "1").head.named_children()] == ["2", "3", "4"]


@pytest.mark.parametrize("alias", [False, True])
def test_tied_weights_are_refused(alias):
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    net[2].weight = nn.Parameter(net[0].weight.data) if alias else net[0].weight
    with pytest.raises(CutError, match=r"'0\.weight' \(in the head '2\.weight'\)"):
        split_model(net, "1")


def test_shared_buffers_are_refused_in_halves_of_ones_own_too():
    norm = nn.BatchNorm1d(3, affine=False)
    with pytest.raises(CutError, match=r"'running_mean' \(in the head '1.running_mean'\)"):
        SplitModel(norm, nn.Sequential(nn.Linear(3, 3), norm))


def test_weights_without_a_shape_are_refused():
    with pytest.raises(CutError, match=r"'2\.weight' of a lazy layer has none yet; call"):
        split_model(nn.Sequential(nn.Flatten(), nn.ReLU(), nn.LazyLinear(3)), "0")


@pytest.mark.parametrize("make", [nested, AlexLike])
def test_an_unknown_name_gets_the_nearest_ones(make):
    with pytest.raises(CutError, match=r"'feature\.2'; nearest: .*'features\.2'.*named_modules"):
        split_model(make(), "feature.2")


@pytest.mark.parametrize(
    ("make", "at"), [(nested, "classifier.2"), (nested, "classifier"), (ResLike, "fc")]
)
def test_nothing_left_for_the_head_is_refused(make, at):
    with pytest.raises(CutError, match=f"'{at}', the last one"):
        split_model(make(), at)


def test_the_whole_network_is_no_place_for_a_cut():
    with pytest.raises(CutError, match="but got ''"):
        split_model(nested(), "")


class Around(nn.Module):
    """Two layers with a function between or before them."""

    def __init__(self, between):
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 2)
        self.between = between

    def forward(self, x):
        return self.second(self.between(self, self.first(x)))


def test_control_flow_on_data_is_refused_with_the_cure():
    net = Around(lambda _net, h: h if h.sum() > 0 else -h)
    with pytest.raises(CutError, match=r"TraceError.*SplitModel\(encoder, head\)"):
        split_model(net, "first")


@pytest.mark.parametrize(
    "between",
    [
        lambda net, h: F.dropout(h, 0.5, training=net.training),
        lambda _net, h: h + torch.randn(3),
    ],
    ids=["mode", "chance"],
)
def test_what_tracing_would_freeze_is_refused(between):
    with pytest.raises(CutError, match=r"depends on self\.training or on chance"):
        split_model(Around(between), "first")


def test_optional_arguments_of_forward_take_their_defaults():
    class Optional(Around):
        def forward(self, x, mask=None, scale=2.0, features=False):
            h = self.first(x)
            h = h if mask is None else h * mask
            return h if features else scale * self.second(h)

    net = Optional(None)
    x = torch.rand(4, 3)
    torch.testing.assert_close(split_model(net, "first")(x), net(x), rtol=0, atol=0)


def test_several_inputs_are_refused():
    class Two(Around):
        def forward(self, x, y):
            return self.second(self.first(x) + y)

    with pytest.raises(CutError, match="one input, but got 2: x, y"):
        split_model(Two(None), "first")


def test_unused_values_before_the_cut_do_not_cross_it():
    class Unpacking(Around):
        def forward(self, x):
            _count, _width = x.shape
            h = self.first(x)
            _more = h.shape
            return self.second(h)

    net = Unpacking(None)
    x = torch.rand(4, 3)
    torch.testing.assert_close(split_model(net, "first")(x), net(x), rtol=0, atol=0)


def test_an_in_place_function_after_the_cut_belongs_to_the_head():
    net = Around(lambda _net, h: h.relu_())
    x = torch.rand(4, 3)
    torch.testing.assert_close(split_model(net, "first")(x), net(x), rtol=0, atol=0)
    torch.testing.assert_close(split_model(net, "first").represent(x), net.first(x), rtol=0, atol=0)


OVERWRITING = {
    "a layer": nn.ReLU(inplace=True),
    "a layer behind one that does nothing": nn.Sequential(nn.Dropout(0.5), nn.ReLU(inplace=True)),
    "a function": Calling(lambda x: F.relu(x, inplace=True)),
    "a residual": Calling(lambda x: x.add_(x.sin())),
    "a view": Calling(lambda x: x.flatten(1).neg_()),
    "a part": Calling(lambda x: x[:, :1].zero_()),
}
SIGMOID = nn.Sigmoid()  # saves its output for the gradient, which nobody may overwrite


@pytest.mark.parametrize("context", [torch.enable_grad, torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", OVERWRITING)
def test_no_part_overwrites_what_it_is_given(name, training, context):
    part = copy.deepcopy(OVERWRITING[name])
    model = SplitModel(nn.Sequential(part, SIGMOID), part, nn.Sequential(part, SIGMOID))
    model.train(training)
    with context():
        x = torch.rand(5, 2, 3) - 0.5
        before = x.clone()
        raw = model.represent(x)
        expected_raw = raw.clone()
        z = model.channel(raw)
        expected_z = z.clone()
        model.head(z)
        model.head(model.release(x))
    torch.testing.assert_close(x, before, rtol=0, atol=0)
    torch.testing.assert_close(raw, expected_raw, rtol=0, atol=0)
    torch.testing.assert_close(z, expected_z, rtol=0, atol=0)


@pytest.mark.parametrize("inplace", [True, False])
def test_gradients_flow_through_the_copies(inplace):
    def relu(x):
        return F.relu(x, inplace=inplace)

    x = torch.linspace(-1, 1, 6).reshape(2, 3).requires_grad_()
    model = SplitModel(nn.Sequential(Calling(relu), SIGMOID), Calling(relu), Calling(relu))
    model(x).sum().backward()
    slope = torch.sigmoid(x) * (1 - torch.sigmoid(x))
    torch.testing.assert_close(x.grad, torch.where(x > 0, slope, 0.0))


def test_a_block_whose_overwriting_activation_comes_last_is_no_matter():
    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.activation = nn.ReLU(inplace=True)
            self.linear = nn.Linear(3, 3)

        def forward(self, x):
            return self.activation(self.linear(x))

    net = nn.Sequential(nn.Linear(3, 3), Last())
    x = torch.rand(4, 3)
    torch.testing.assert_close(split_model(net, "0")(x), net(x), rtol=0, atol=0)


def test_modules_stay_theirs():
    """The hook is set once, and neither names of weights nor later cuts notice it."""
    model = SplitModel(nn.Sequential(nn.Linear(3, 3), nn.ReLU()), nn.Linear(3, 2))
    again = SplitModel(model.encoder, model.head)
    assert len(again.head._forward_pre_hooks) == 1
    assert list(model.state_dict()) == [
        "encoder.0.weight", "encoder.0.bias", "head.weight", "head.bias"
    ]  # fmt: skip
    x = torch.rand(4, 3)
    torch.testing.assert_close(split_model(model, "encoder.0")(x), model(x), rtol=0, atol=0)
    kept = copy.deepcopy(model)
    kept.head = keep_inputs(nn.ReLU(inplace=True))
    assert kept.head(input=x.neg()).max() == 0
    assert x.min() >= 0


class Doubling(nn.Sequential):
    def forward(self, x):
        return 2 * super().forward(x)


def test_a_sequential_with_a_forward_of_its_own_is_traced_not_sliced():
    net = nn.Sequential(Doubling(nn.Linear(3, 3), nn.Linear(3, 3)), nn.Linear(3, 2))
    x = torch.rand(4, 3)
    torch.testing.assert_close(split_model(net, "0.0")(x), net(x), rtol=0, atol=0)


@pytest.mark.parametrize("make", [nested, AlexLike])
def test_hooks_around_the_cut_are_refused(make):
    net = make()
    net.features.register_forward_hook(lambda _module, _input, output: 2 * output)
    with pytest.raises(CutError, match="Sequential has some"):
        split_model(net, "features.0")
    split_model(net, "features")
