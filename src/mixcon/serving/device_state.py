"""What a device or an exporter remembers from one run to the next, a file for each contract's name.

It lies in the state folder, see `mixcon._places`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from filelock import FileLock

from mixcon._places import state_folder
from mixcon.errors import ContractError
from mixcon.serving.contract import sha256

__all__ = ["remembered"]


@contextmanager
def remembered(
    of: Literal["used", "beside", "exported", "spent"], name: str, key: Ed25519PublicKey
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The file of a contract's name and key, and what is in it, for one process at a time.

    Args:
        of: what is remembered.
        name: of the contract.
        key: that signed it.

    Raises:
        ContractError: it can be neither read nor written, or is damaged.
    """
    path = state_folder() / of / f"{sha256(key.public_bytes_raw())[:16]}-{name}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            yield path, _read(path)
    except OSError as error:
        raise ContractError(
            f"{path}: expected to keep there what was {of} before, but got {error.strerror}; name "
            "a folder that can be written as MIXCON_STATE"
        ) from error


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_bytes()))
    except (ValueError, TypeError) as error:
        raise ContractError(
            f"{path}: expected what was remembered of this contract, but the file is damaged; "
            "remove it if you know that the contract at hand is the newest and little was sent"
        ) from error
