"""A small transformer for texts."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixcon.errors import ConfigError
from mixcon.kinds import Kind
from mixcon.models._checks import check_classes

__all__ = ["transformer"]

_WIDTH, _HEADS, _BLOCKS = 64, 4, 2


def transformer(shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """An embedding of tokens and their places, two blocks of attention, a mean and two layers.

    Cut at "embed" or "block1": 64 numbers a token leave the device. Later cuts are "pool" and
    "relu" (64 numbers a text).

    Args:
        shape: (tokens, words) of texts whose rows have a 1 at their token, as `LabeledSet.floats`
            gives them.
        classes: number of logits, at least 2.

    Returns:
        A network from (N, tokens, words) to logits (N, classes).

    Raises:
        ConfigError: another shape, or fewer than two classes.

    Source: Vaswani et al., Attention is all you need, NeurIPS 2017; normalized before each half of
    a block as by Xiong et al., ICML 2020.
    """
    if not Kind.TEXT.fits(shape):
        raise ConfigError(
            "expected texts of shape (tokens, words) for transformer, but got shape "
            f"{shape}; choose another network"
        )
    check_classes(classes)
    layers: OrderedDict[str, nn.Module] = OrderedDict(embed=Embedding(shape[0], shape[1], _WIDTH))
    for number in range(1, _BLOCKS + 1):
        layers[f"block{number}"] = Block(_WIDTH, _HEADS)
    layers |= {
        "pool": Mean(_WIDTH),
        "fc1": nn.Linear(_WIDTH, _WIDTH),
        "relu": nn.ReLU(),
        "fc2": nn.Linear(_WIDTH, classes),
    }
    return nn.Sequential(layers)


class Embedding(nn.Module):
    """A vector for each token and one for its place; behind the end of a text the latter alone.

    Args:
        tokens: of a text.
        words: in the vocabulary.
        width: numbers of a vector.
    """

    def __init__(self, tokens: int, words: int, width: int) -> None:
        super().__init__()
        self.words = nn.Linear(words, width, bias=False)
        nn.init.normal_(self.words.weight, std=0.5)
        self.places = nn.Parameter(0.1 * torch.randn(tokens, width))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.words(x) + self.places
        return out


class Block(nn.Module):
    """Attention and two layers, each added to what comes in.

    Args:
        width: numbers of a token.
        heads: of attention.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mixed, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.inner = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        parts = self.mixed(self.norm1(x)).unflatten(-1, (3, self.heads, -1))
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        seen = F.scaled_dot_product_attention(query, key, value)
        x = x + self.out(seen.transpose(1, 2).flatten(2))
        out: Tensor = x + self.inner(self.norm2(x))
        return out


class Mean(nn.Module):
    """The mean over the tokens, normalized.

    Args:
        width: numbers of a token.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(x.mean(1))
        return out
