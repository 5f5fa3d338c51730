"""Networks by name: the paper's, each with the cut that the paper uses, and some for other data."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from mixcon.errors import ConfigError, CutError
from mixcon.models.audio import audio
from mixcon.models.lenet5 import lenet5
from mixcon.models.mlp import Activation, Head, mlp
from mixcon.models.resnet import resnet
from mixcon.models.transformer import transformer
from mixcon.models.vgg16 import vgg16
from mixcon.registry import Registry
from mixcon.split import SplitModel, split_model

__all__ = [
    "NETWORKS",
    "Network",
    "audio",
    "build",
    "lenet5",
    "mlp",
    "network_named",
    "resnet",
    "transformer",
    "vgg16",
    "whole",
]


@dataclass(frozen=True)
class Network:
    """A network that can be built for a data set.

    Attributes:
        build: maps the shape of one sample, without the batch, and the number of classes to a new
            network with named children; raises ConfigError for a shape that does not fit.
        cut: name of the layer after which the paper cuts, of its networks.
        description: one line for tables.
    """

    build: Callable[[tuple[int, ...], int], nn.Module]
    cut: str
    description: str


def _mlp(
    shape: tuple[int, ...], classes: int, *, head: Head, activation: Activation = "relu"
) -> nn.Sequential:
    if len(shape) != 1:
        raise ConfigError(
            f"expected samples of shape (numbers,) for mlp, but got shape {shape}; choose a "
            "network for images"
        )
    return mlp(shape[0], classes, head=head, activation=activation)


_HEADS: dict[str, Head] = {"": "default", "-deeper": "deeper", "-wider": "wider"}

NETWORKS: Registry[Network] = Registry(
    "networks",
    {
        "mlp": Network(
            partial(_mlp, head="default"), "fc2", "4 fully-connected layers (section 4.2)"
        ),
        "mlp-deeper": Network(
            partial(_mlp, head="deeper"), "fc2", "mlp with 2 more layers behind the cut (Table 1)"
        ),
        "mlp-wider": Network(
            partial(_mlp, head="wider"), "fc2", "mlp with 2048 neurons behind the cut (Table 1)"
        ),
        **{
            f"mlp-leaky{ending}": Network(
                partial(_mlp, head=head, activation="leaky-relu"),
                "fc2",
                f"mlp{ending} with LeakyReLU, the reading nearest to Table 1",
            )
            for ending, head in _HEADS.items()
        },
        "lenet5": Network(lenet5, "pool2", "LeNet-5 for small images (section 4.3)"),
        "vgg16": Network(vgg16, "block2", "VGG-16 for 32 x 32 images (appendix D.2)"),
        "vgg16-narrow": Network(
            partial(vgg16, width=16), "block2", "VGG-16 of a quarter of the channels, for CPUs"
        ),
        "resnet": Network(resnet, "block3", "3 residual blocks, for images of any size"),
        "audio": Network(audio, "pool2", "2 convolutions along time, for sounds"),
        "transformer": Network(transformer, "block1", "2 blocks of attention, for texts"),
    },
)


def network_named(name: str) -> Network:
    """The network of this name; a function of one's own knows no cut and no description.

    Raises:
        ConfigError: no such name, or code that was not allowed or cannot be imported.
    """
    found = NETWORKS.find(name)
    return found if isinstance(found, Network) else Network(found, "", "")


def build(
    name: str,
    shape: tuple[int, ...],
    classes: int,
    cut: str | None = None,
    channel: nn.Module | None = None,
) -> SplitModel:
    """Build one of `NETWORKS`, freshly initialized, and cut it.

    Args:
        name: in `NETWORKS`, or ``package.module:name`` of a function as `Network.build` is.
        shape: shape of one sample, without the batch.
        classes: number of logits, at least 2.
        cut: name of the layer whose output leaves the device; that of the paper by default.
        channel: applied to the representation before it leaves; the identity by default.

    Raises:
        ConfigError: unknown network, or a shape or number of classes that does not fit it.
        CutError: no such layer, or nothing behind it.

    Example:
        >>> build("lenet5", shape=(1, 28, 28), classes=10).release(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 16, 5, 5])
    """
    network = network_named(name)
    net = whole(name, shape, classes)
    sizes = f"--shape {','.join(map(str, shape))} --classes {classes}"
    see = f"mixcon cuts {name} {sizes} lists where it can be cut"
    if not (cut or network.cut):
        raise ConfigError(
            f"expected the layer to cut '{name}' after, for example --cut "
            f"{next((n for n, _ in net.named_children()), 'NAME')}; {see}"
        )
    try:
        return split_model(net, cut or network.cut, channel)
    except CutError as error:
        raise CutError(f"{error}; {see}") from error


def whole(name: str, shape: tuple[int, ...], classes: int) -> nn.Module:
    """The same network before it is cut.

    Raises:
        ConfigError: as `build`, or what the name stands for does not make a network.
    """
    make = network_named(name).build
    expected = f"'{name}': expected a function of shape and classes that returns a torch.nn.Module"
    try:
        inspect.signature(make).bind(shape, classes)
    except TypeError as error:
        raise ConfigError(f"{expected}, but got one with {error}") from error
    net = make(shape, classes)
    if not isinstance(net, nn.Module):
        raise ConfigError(f"{expected}, but it returns {type(net).__name__}")
    if any(map(is_lazy, net.parameters())):
        with torch.no_grad():
            net.eval()(torch.zeros(2, *shape))  # lazy layers learn their shapes from it
        net.train()
    return net
