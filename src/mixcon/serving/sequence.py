"""Contracts of one name are numbered: who has seen a newer one refuses the older.

The highest number of each name and signing key is remembered, for what was used here and for what
was exported here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from mixcon._files import write_whole
from mixcon.errors import ContractError
from mixcon.serving.contract import Contract, sha256
from mixcon.serving.device_state import remembered

__all__ = ["number_of", "refuse_older"]


def refuse_older(contract: Contract, key: Ed25519PublicKey, *, beside: bool = False) -> None:
    """Remember a contract as used; refuse it if a newer one of its name was used before.

    Args:
        contract: checked in every other way.
        key: the key that signed it.
        beside: it is served beside an older one, which may well stay: such are counted apart.

    Raises:
        ContractError: it is older, or the state can be neither read nor written.
    """
    with remembered("beside" if beside else "used", contract.name, key) as (path, state):
        seen = _number(path, state)
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
    with remembered("exported", contract.name, key) as (path, state):
        same = state.get("content") == digest
        number = _number(path, state) + (not same)
        if not same:
            write_whole(path, json.dumps({"sequence": number, "content": digest}))
        return number


def _number(path: Path, state: dict[str, Any]) -> int:
    number = state.get("sequence", 0)
    if type(number) is not int:
        raise ContractError(
            f"{path}: expected the number of the newest contract, but the file is damaged; remove "
            "it if you know that the contract at hand is the newest"
        )
    return number
