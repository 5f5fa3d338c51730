"""The fully-connected network of the synthetic experiment (section 4.2)."""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

from torch import nn

from mixcon.errors import ConfigError
from mixcon.models._checks import check_classes

__all__ = ["Activation", "Head", "mlp"]

Head = Literal["default", "deeper", "wider"]
Activation = Literal["relu", "leaky-relu"]

# Neurons of the hidden layers behind the cut.
_HEADS: dict[Head, tuple[int, ...]] = {
    "default": (100,),
    "deeper": (100, 100, 100),
    "wider": (2048,),
}


_ACTIVATIONS: dict[Activation, type[nn.Module]] = {"relu": nn.ReLU, "leaky-relu": nn.LeakyReLU}


def mlp(
    inputs: int = 10,
    classes: int = 2,
    *,
    head: Head = "default",
    activation: Activation = "relu",
) -> nn.Sequential:
    """Four fully-connected layers: fc1 (500), fc2 (2), fc3 (100) and fc4, ReLU between them.

    The paper cuts after "fc2", before its activation: two numbers leave the device. The layers keep
    PyTorch's default initialization; the paper's N(u_k, 1) diverges at its own learning rate.

    Args:
        inputs: numbers per sample, at least 1.
        classes: number of logits, at least 2.
        head: "default" as above; "deeper" adds two layers of 100 neurons after the third (the last
            layer is then fc6); "wider" has 2048 neurons in the third (both of Table 1).
        activation: the paper writes sigma; ReLU stands in its theory, and "leaky-relu" comes
            nearest to its numbers (docs/results.md).

    Returns:
        A network from (N, inputs) to logits (N, classes).

    Raises:
        ConfigError: too few inputs or classes, or an unknown head or activation.
    """
    if inputs < 1:
        raise ConfigError(f"expected at least 1 input, but got {inputs}")
    check_classes(classes)
    if head not in _HEADS:
        raise ConfigError(f"expected head to be one of {', '.join(_HEADS)}, but got '{head}'")
    if activation not in _ACTIVATIONS:
        raise ConfigError(
            f"expected activation to be one of {', '.join(_ACTIVATIONS)}, but got '{activation}'"
        )
    widths = (inputs, 500, 2, *_HEADS[head], classes)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number in range(1, len(widths)):
        layers[f"fc{number}"] = nn.Linear(widths[number - 1], widths[number])
        layers[f"relu{number}"] = _ACTIVATIONS[activation]()
    layers.popitem()  # logits stay as they are
    return nn.Sequential(layers)
