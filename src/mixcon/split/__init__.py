"""Split a network in two: the encoder stays on the edge device, the head runs in the cloud."""

from mixcon.split._cut import split_model
from mixcon.split._inputs import keep_inputs
from mixcon.split._model import SplitModel
from mixcon.split._outputs import check_steady
from mixcon.split._sizes import Sizes
from mixcon.split.cuts import Cost, Cut, list_cuts, multiply_adds

__all__ = [
    "Cost",
    "Cut",
    "Sizes",
    "SplitModel",
    "check_steady",
    "keep_inputs",
    "list_cuts",
    "multiply_adds",
    "split_model",
]
