"""SplitModel: encoder, channel and head as one module."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import cast

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from mixcon.errors import CutError
from mixcon.split._inputs import keep_inputs
from mixcon.split._outputs import give_one_tensor

__all__ = ["SplitModel"]


class SplitModel(nn.Module):
    """A network in two halves, and what happens to the representation between them.

        edge:  x --encoder--> raw representation --channel--> z ==wire==> cloud: --head--> logits

    Args:
        encoder: maps inputs (N, ...) to raw representations (N, ...); stays on the device.
        head: maps released representations to logits (N, classes); runs in the cloud.
        channel: applied to the raw representation before it leaves; the identity by default.
        at: name of the layer that the encoder ends with, for messages.

    From then on, each of the three works on a copy of what it is called with, as behind a real
    wire (see `keep_inputs`): one that overwrites its input, such as ``ReLU(inplace=True)``, changes
    neither the representation that losses and audits see, nor anybody's inputs.

    Raises:
        CutError: encoder and head share a parameter or buffer (the cloud would hold encoder
            weights), or have weights without a shape yet. When called: a half gives something else
            than one tensor.
    """

    def __init__(
        self,
        encoder: nn.Module,
        head: nn.Module,
        channel: nn.Module | None = None,
        *,
        at: str = "",
    ) -> None:
        super().__init__()
        _refuse_lazy(encoder, head)
        _refuse_shared_tensors(encoder, head)
        self.encoder = keep_inputs(encoder)
        self.channel = keep_inputs(nn.Identity() if channel is None else channel)
        self.head = keep_inputs(head)
        give_one_tensor(encoder, f"the layer '{at}' at the cut" if at else "the encoder")
        give_one_tensor(head, "the head, which has the network's output,")

    def represent(self, x: Tensor) -> Tensor:
        """The raw representation h(x), which never leaves the device."""
        return cast(Tensor, self.encoder(x))

    def release(self, x: Tensor) -> Tensor:
        """The representation z that crosses the wire: the channel applied to h(x)."""
        return cast(Tensor, self.channel(self.represent(x)))

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the cloud for what the device releases."""
        return cast(Tensor, self.head(self.release(x)))


def _refuse_lazy(*halves: nn.Module) -> None:
    lazy = [name for half in halves for name, of in half.named_parameters() if is_lazy(of)]
    if lazy:
        raise CutError(
            f"expected a network whose weights have a shape, but '{lazy[0]}' of a lazy layer has "
            "none yet; call the network on a few samples first"
        )


def _refuse_shared_tensors(encoder: nn.Module, head: nn.Module) -> None:
    owned = {_memory(tensor): name for name, tensor in _state(encoder)}
    shared = [
        f"'{owned[_memory(tensor)]}' (in the head '{name}')"
        for name, tensor in _state(head)
        if _memory(tensor) in owned
    ]
    if shared:
        raise CutError(
            "expected halves that share no parameter or buffer, but the head would contain "
            f"{', '.join(shared)} of the encoder; cut elsewhere, or untie them by a copy"
        )


def _state(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    return chain(module.named_parameters(), module.named_buffers())


def _memory(tensor: Tensor) -> int:
    # A tied weight may be another Parameter on the same memory. Meta tensors have none.
    return tensor.data_ptr() or id(tensor)
