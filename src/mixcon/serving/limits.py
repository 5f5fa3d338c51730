"""What one server takes on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mixcon.serving.budget import Budget

__all__ = ["ServerLimits"]


@dataclass(frozen=True)
class ServerLimits:
    """What one server takes on.

    Attributes:
        max_batch: rows in one request and in one batch at most.
        max_delay: seconds that a request may wait for others while the head is idle.
        max_queue: rows that may wait for the head, at least `max_batch`.
        max_body: bytes of one request body; None for what `max_batch` rows need as JSON.
        memory: bytes of all request bodies in work.
        receive_timeout: seconds for a TLS handshake, and until a request must have come in whole.
        answer_timeout: seconds until the head must have answered.
        connections: open connections, those in a TLS handshake among them.
        peer_share: the largest part of connections and memory for one address, in (0, 1].
        threads: how many threads share one batch.
    """

    max_batch: int = 256
    max_delay: float = 0.0
    max_queue: int = 1024
    max_body: int | None = None
    memory: int = 256 * 2**20
    receive_timeout: float = 10.0
    answer_timeout: float = 30.0
    connections: int = 1000
    peer_share: float = 0.5
    threads: int = 1

    def budget(self, total: int) -> Budget:
        """So much for all, and its part for one peer, but something for everybody."""
        return Budget(total, max(1, round(total * self.peer_share)))

    def part_of(self, workers: int) -> ServerLimits:
        """What one of so many processes takes on."""
        return replace(
            self,
            max_queue=max(self.max_batch, self.max_queue // workers),
            memory=max(1, self.memory // workers),
            connections=max(1, self.connections // workers),
        )
