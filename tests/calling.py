"""Functions as networks."""

from torch import nn


class Calling(nn.Module):
    """A function as a module, so that what it overwrites is nobody's attribute."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)
