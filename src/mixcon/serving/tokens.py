"""Bearer tokens, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from mixcon.errors import ConfigError

__all__ = ["Tokens", "check_token"]

_SHORTEST = 16


class Tokens:
    """The tokens that a server accepts.

    Args:
        tokens: each of 16 characters or more.

    Raises:
        ConfigError: no token, one that is easy to guess, or one that no header can carry.
    """

    def __init__(self, tokens: list[str]) -> None:
        if not tokens or any(len(token) < _SHORTEST for token in tokens):
            raise ConfigError(
                f"expected one or more tokens of at least {_SHORTEST} characters, but got "
                f"{[len(token) for token in tokens]} characters; make one with: "
                "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
        for token in tokens:
            check_token(token)
        self._digests = [_digest(token.encode()) for token in tokens]

    @classmethod
    def read(cls, path: Path) -> Tokens:
        """The tokens of a file, one a line; blank lines and those that start with # are skipped.

        Raises:
            ConfigError: no such file, or as above.
        """
        try:
            lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: expected a file of tokens, but got: {error}") from error
        return cls([line for line in lines if line and not line.startswith("#")])

    def allow(self, authorization: str | None) -> bool:
        """Whether the value of an Authorization header carries one of the tokens.

        The time it takes depends neither on which token it is nor on how much of it is right.
        """
        scheme, _, token = (authorization or "").partition(" ")
        given = _digest(token.strip().encode("utf-8", "surrogateescape"))
        matches = [hmac.compare_digest(given, digest) for digest in self._digests]
        return any(matches) and scheme.lower() == "bearer"


def check_token(token: str) -> None:
    """Refuse what no header can carry as one word; the token itself is never shown.

    Raises:
        ConfigError: it is empty, or a character is not visible ASCII: a line end, say.
    """
    odd = next((place for place, letter in enumerate(token) if not "!" <= letter <= "~"), None)
    if not token or odd is not None:
        what = "nothing" if odd is None else f"{_name(token[odd])} as character {odd + 1}"
        raise ConfigError(
            f"expected a token of visible ASCII characters, but got {what} of {len(token)}; take "
            "it without spaces and line ends"
        )


def _name(letter: str) -> str:
    named = {"\n": "a line end", "\r": "a line end", " ": "a space", "\t": "a tab"}
    return named.get(letter, "another one")


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
