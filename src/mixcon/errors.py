"""Every error mixcon raises on purpose.

    MixconError
    ├── BudgetError        more would leave the device than a user's day allows
    ├── ConfigError        a setting is unknown, out of range, contradictory (also a ValueError)
    ├── ContractError      a half is not what its contract says, or the contract cannot be trusted
    ├── CutError           the network cannot be split where asked (also a ValueError)
    ├── DataError          a data set is missing, corrupt or does not fit
    ├── KnowledgeError     an attack was not given the knowledge it needs
    ├── NonFiniteError     NaN or infinity appeared while training or attacking
    ├── RunError           a run folder cannot be used: other config, damaged file, unfinished run
    └── WireError          what came over the wire is no valid message, or no answer came

Every message says what was expected, what came, and where there is one, the cure.
"""

__all__ = [
    "BudgetError",
    "ConfigError",
    "ContractError",
    "CutError",
    "DataError",
    "KnowledgeError",
    "MixconError",
    "NonFiniteError",
    "RunError",
    "WireError",
]


class MixconError(Exception):
    """Base of all errors that mixcon raises on purpose."""


class BudgetError(MixconError):
    """More would be told of a user in a day than the device allows."""


class ConfigError(MixconError, ValueError):
    """A setting is unknown, out of range, or contradicts another."""


class ContractError(MixconError):
    """A half does not match its contract, or the contract cannot be trusted."""


class CutError(MixconError, ValueError):
    """The network cannot be split at the layer asked for."""


class DataError(MixconError):
    """A data set is missing, corrupt, or does not fit what it is used for."""


class KnowledgeError(MixconError):
    """An attack was not given the knowledge it declares to need."""


class NonFiniteError(MixconError):
    """NaN or infinity appeared in a representation, loss or reconstruction."""


class RunError(MixconError):
    """A run folder cannot be used as asked."""


class WireError(MixconError):
    """What came over the wire is no valid message, or no answer came."""
