"""Split a network in two: the encoder stays on the edge device, the head runs in the cloud."""

from mixcon.split._cut import split_model
from mixcon.split._inputs import keep_inputs
from mixcon.split._model import SplitModel
from mixcon.split._sizes import Sizes

__all__ = ["Sizes", "SplitModel", "keep_inputs", "split_model"]
