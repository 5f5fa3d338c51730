"""Contracts of one name are numbered: who has seen a newer one refuses the older.

The highest number of each name and signing key is kept in ``MIXCON_STATE`` (default: ``mixcon`` in
``XDG_STATE_HOME`` or ``~/.local/state``), for what was used here and for what was exported here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from filelock import FileLock

from mixcon._files import write_whole
from mixcon.errors import ContractError
from mixcon.serving.contract import Contract, sha256

__all__ = ["number_of", "refuse_older"]


def refuse_older(contract: Contract, key: Ed25519PublicKey) -> None:
    """Remember a contract as used; refuse it if a newer one of its name was used before.

    Args:
        contract: checked in every other way.
        key: the key that signed it.

    Raises:
        ContractError: it is older, or the state can be neither read nor written.
    """
    with _state("used", contract.name, key) as (path, state):
        seen = state.get("sequence", 0)
        if contract.sequence < seen:
            raise ContractError(
                f"expected contract {seen} of {contract.name!r} or a newer one, as that was used "
                f"here before, but got {contract.sequence}; fetch the newest export, or export the "
                f"older run again to go back to it ({path} remembers)"
            )
        if contract.sequence > seen:
            write_whole(path, json.dumps({"sequence": contract.sequence}))


def number_of(contract: Contract, key: Ed25519PublicKey) -> int:
    """The number of a new export: the next one, or that of the last if nothing else changed.

    Args:
        contract: as it will be, but for its number and its expiry.
        key: the key that will sign it.

    Raises:
        ContractError: the state can be neither read nor written.
    """
    content = contract.model_copy(update={"sequence": 0, "expires": None}).model_dump_json()
    digest = sha256(content.encode())
    with _state("exported", contract.name, key) as (path, state):
        same = state.get("content") == digest
        number = int(state.get("sequence", 0)) + (not same)
        if not same:
            write_whole(path, json.dumps({"sequence": number, "content": digest}))
        return number


@contextmanager
def _state(
    of: Literal["used", "exported"], name: str, key: Ed25519PublicKey
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The file of a name and key, and what is in it, for one process at a time."""
    path = _folder() / of / f"{sha256(key.public_bytes_raw())[:16]}-{name}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            yield path, _read(path)
    except OSError as error:
        raise ContractError(
            f"{path}: expected to keep there which contract is the newest, but got "
            f"{error.strerror}; name a folder that can be written as MIXCON_STATE"
        ) from error


def _folder() -> Path:
    own = os.environ.get("MIXCON_STATE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "mixcon"


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        state = json.loads(path.read_bytes())
        number = state["sequence"]
    except (ValueError, KeyError, TypeError):
        number = None
    if type(number) is not int:
        raise ContractError(
            f"{path}: expected the number of the newest contract, but the file is damaged; remove "
            "it if you know that the contract at hand is the newest"
        )
    return dict(state)
