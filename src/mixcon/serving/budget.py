"""Something that all peers share, of which no peer gets more than its part."""

from __future__ import annotations

import ipaddress
from collections import Counter
from functools import lru_cache

__all__ = ["Budget", "peer_of"]


class Budget:
    """Counts what is taken, in total and by peer.

    Args:
        total: how much there is.
        per_peer: how much of it one peer may have at a time.
    """

    def __init__(self, total: int, per_peer: int) -> None:
        self.total, self.per_peer = total, per_peer
        self.taken = 0
        self._by_peer: Counter[str] = Counter()

    def widen(self, least: int) -> None:
        """See that everybody may have so much at a time, or nothing would ever be of use."""
        self.total, self.per_peer = max(self.total, least), max(self.per_peer, least)

    def is_used_up(self, amount: int = 1) -> bool:
        """Whether so much more would be too much, for whomever."""
        return self.taken + amount > self.total

    def is_used_up_by(self, peer: str, amount: int = 1) -> bool:
        """Whether so much more would be too much for this peer."""
        return self._by_peer[peer] + amount > self.per_peer

    def take(self, peer: str, amount: int = 1) -> None:
        """Count it as taken; whether there is enough was asked before."""
        self.taken += amount
        self._by_peer[peer] += amount

    def give_back(self, peer: str, amount: int = 1) -> None:
        """Count it as free again."""
        self.taken -= amount
        self._by_peer[peer] -= amount
        if not self._by_peer[peer]:
            del self._by_peer[peer]


@lru_cache(4096)
def peer_of(address: str | None) -> str:
    """Whom an address belongs to: itself, or its /64, as one IPv6 host has all of that."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), 64), strict=False).network_address)
