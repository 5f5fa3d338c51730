"""Extras of the installation: what each part of mixcon needs, and the words where it is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from mixcon.errors import ConfigError

__all__ = ["EXTRAS", "check_extra", "missing", "named_extra"]

_TRAIN = (
    "torch",
    "datasets",
    "filelock",
    "jinja2",
    "lightning_fabric",
    "numpy",
    "optuna",
    "PIL",
    "plotly",
    "safetensors",
    "scipy",
    "sklearn",
    "tomli_w",
)
_EDGE = ("cryptography", "filelock", "h11", "numpy", "onnxruntime", "PIL")
_CLOUD = (
    "cryptography",
    "filelock",
    "h11",
    "httptools",
    "numpy",
    "onnxruntime",
    "prometheus_client",
    "uvicorn",
)
EXTRAS: dict[str, tuple[str, ...]] = {
    "train": _TRAIN,
    "edge": _EDGE,
    "cloud": _CLOUD,
    "serve": tuple(dict.fromkeys([*_TRAIN, *_EDGE, *_CLOUD, "onnx", "onnxscript", "starlette"])),
    "paper": ("matplotlib",),
    "theory": ("pysat",),
    "lpips": ("torchmetrics", "torchvision"),
    "ray": ("ray",),
    "grpc": ("grpc", "google.protobuf"),
    "traces": ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"),
    "postgres": ("psycopg",),
    "tensorboard": ("tensorboard",),
    "mlflow": ("mlflow", "sqlalchemy", "alembic"),
    "executorch": ("executorch",),
}
"""Extra to the modules that it brings; `pyproject.toml` names the packages they come in."""


def missing(extra: str) -> list[str]:
    """The modules of an extra that cannot be found; nothing is imported."""
    return [name for name in EXTRAS[extra] if not _is_there(name)]


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # not even the package that it would be in
        return False


def check_extra(extra: str) -> None:
    """Refuse to go on without an extra.

    Raises:
        ConfigError: names the modules that are missing, and how to install them.
    """
    if lacking := missing(extra):
        raise ConfigError(
            f"expected the packages of the extra '{extra}', but {', '.join(lacking)} cannot be "
            f"found; install them with: pip install 'mixcon[{extra}]'"
        )


@contextmanager
def named_extra() -> Iterator[None]:
    """Turn the failed import of a module that extras bring into a ConfigError that names them."""
    try:
        yield
    except ModuleNotFoundError as error:
        top = (error.name or "").partition(".")[0]
        extras = [
            extra
            for extra, modules in EXTRAS.items()
            if any(top == module.partition(".")[0] for module in modules)
        ]
        if not extras:
            raise
        some = "the extra" if len(extras) == 1 else "one of the extras"
        raise ConfigError(
            f"expected {top}, which {some} {', '.join(extras)} brings, but it cannot be found; "
            f"install it with: pip install 'mixcon[{extras[0]}]'"
        ) from error
