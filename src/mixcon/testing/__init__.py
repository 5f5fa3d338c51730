"""Contracts that parts keep to, for the tests of your own: call one, and it raises or returns.

Each raises AssertionError, or one of `mixcon.errors`, that says what was expected. They need no
test framework, and leave torch's generator as it was.
"""

from mixcon.testing.attack import check_attack, check_no_oracle
from mixcon.testing.channel import check_channel
from mixcon.testing.data import check_data
from mixcon.testing.defense import check_defense
from mixcon.testing.loss import check_loss
from mixcon.testing.metric import check_metric
from mixcon.testing.network import check_network

__all__ = [
    "check_attack",
    "check_channel",
    "check_data",
    "check_defense",
    "check_loss",
    "check_metric",
    "check_network",
    "check_no_oracle",
]
