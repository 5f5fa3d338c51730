"""Put a defense into a split model of any kind."""

from __future__ import annotations

import torch
from torch import Tensor

from mixcon.defenses.base import Defense
from mixcon.defenses.config import DefenseConfig
from mixcon.split import Sizes, SplitModel

__all__ = ["defend"]


def defend(
    model: SplitModel, defense: DefenseConfig | str, samples: Tensor
) -> tuple[SplitModel, Defense]:
    """The split model with a defense in it, and the defense, whose penalty the training adds.

    Weights of the defense are drawn from torch's generator, on the CPU.

    Args:
        model: without a channel of its own; its layers are shared, not copied.
        defense: as text, such as ``code(bits=8) + unicon(weight=0.3, on=z)``, or read already.
        samples: a few inputs, (N, *shape): what the model makes of them says how large all is.

    Returns:
        A new model in training mode, with the channels of the defense behind the encoder and what
        reads them before the head; and the defense. In each step of the training add
        ``defense.penalty(Batch(x, y, raw, z))`` to the loss.

    Raises:
        ConfigError: a part or setting that does not exist or does not fit.
        CutError: a half gives something else than one tensor.

    >>> from mixcon import split_model
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    >>> model, _ = defend(split_model(net, at="2"), "code(bits=8)", torch.rand(2, 1, 28, 28))
    >>> model.eval().release(torch.rand(5, 1, 28, 28)).shape
    torch.Size([5, 8])
    """
    with torch.no_grad():
        raw = model.eval().represent(samples)
        classes = model.head(raw).shape[1]
    sizes = Sizes(tuple(samples.shape[1:]), tuple(raw.shape[1:]), classes)
    made = DefenseConfig.parse(defense).build(sizes)
    return SplitModel(model.encoder, made.behind(model.head), made.channel).train(), made
