"""Whether the packages of the extra `serve` are installed."""

from __future__ import annotations

from importlib.util import find_spec

from mixcon.errors import ConfigError

__all__ = ["check_extra"]

_PACKAGES = (
    "cryptography",
    "h11",
    "httptools",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "prometheus_client",
    "starlette",
    "uvicorn",
)


def check_extra() -> None:
    """Refuse to go on without the packages that serving needs.

    Raises:
        ConfigError: names those that are missing, and the extra that brings them.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"expected the packages of the extra 'serve', but {', '.join(missing)} cannot be "
            "found; install them with: pip install 'mixcon[serve]'"
        )
