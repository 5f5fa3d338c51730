"""What papers claim of their defenses, by the part that is theirs."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

__all__ = ["Claim", "claims"]

_FILE = Path(__file__).with_name("claims.toml")


class Claim(BaseModel):
    """One sentence of a paper.

    Attributes:
        source: the paper and the place in it.
        claim: what it says there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    claim: str


def claims() -> dict[str, Claim]:
    """Name of a part to what its paper says of it."""
    read = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {part: Claim.model_validate(claim) for part, claim in read.items()}
