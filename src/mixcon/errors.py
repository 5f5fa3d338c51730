"""Every error mixcon raises on purpose.

    MixconError
    ├── ConfigError        a setting is unknown, out of range, contradictory (also a ValueError)
    ├── CutError           the network cannot be split where asked (also a ValueError)
    ├── DataError          a data set is missing, corrupt or does not fit
    ├── KnowledgeError     an attack was not given the knowledge it needs
    ├── NonFiniteError     NaN or infinity appeared while training or attacking
    └── RunError           a run folder cannot be used: other config, damaged file, unfinished run

Every message says what was expected, what came, and where there is one, the cure.
"""

__all__ = [
    "ConfigError",
    "CutError",
    "DataError",
    "KnowledgeError",
    "MixconError",
    "NonFiniteError",
    "RunError",
]


class MixconError(Exception):
    """Base of all errors that mixcon raises on purpose."""


class ConfigError(MixconError, ValueError):
    """A setting is unknown, out of range, or contradicts another."""


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
