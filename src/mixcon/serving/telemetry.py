"""What the server counts, for Prometheus."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

__all__ = ["SHARED_FOLDER", "Telemetry"]

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable of prometheus_client."""

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Telemetry:
    """Counters of one server; nothing in them depends on what clients send but its size.

    Workers of one server add theirs up, in a folder that `SHARED_FOLDER` names from before the
    first import of prometheus_client.
    """

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "mixcon_requests", "Inference requests by status of the answer, and by who answered.",
            ["status", "model", "version", "protocol"], registry=registry,
        )  # fmt: skip
        self._counters: dict[tuple[str, ...], Counter] = {}
        self.received = Counter(
            "mixcon_received_bytes", "Bytes of request bodies read.", registry=registry
        )
        self.seconds = Histogram(
            "mixcon_request_seconds", "From the headers of a request to its answer.",
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.batches = Histogram(
            "mixcon_batch_rows", "Representations that went through the head together.",
            buckets=_ROWS, registry=registry,
        )  # fmt: skip
        self._ends = Gauge(
            "mixcon_end_timestamp_seconds", "When certificate and contract end.", ["what"],
            registry=registry, multiprocess_mode="max",
        )  # fmt: skip
        self.queued = Gauge(
            "mixcon_queued_rows", "Representations that waited when the last batch began.",
            registry=registry, multiprocess_mode="livesum",
        )  # fmt: skip
        self._queued = 0

    def note_request(
        self, labels: tuple[str, str, str, str], received: int, seconds: float
    ) -> None:
        """One request for inference.

        Args:
            labels: status, model, version, protocol.
            received: bytes of its body.
            seconds: how long it took.
        """
        counter = self._counters.get(labels)
        if counter is None:
            counter = self._counters[labels] = self.requests.labels(*labels)
        counter.inc()
        self.received.inc(received)
        self.seconds.observe(seconds)

    def note_batch(self, rows: int, queued: int) -> None:
        """So many representations go through the head, and so many wait."""
        self.batches.observe(rows)
        if queued != self._queued:  # most requests find nobody waiting
            self._queued = queued
            self.queued.set(queued)

    def note_ends(self, ends: Mapping[str, datetime]) -> None:
        """When what ends, for alarms."""
        for what, end in ends.items():
            self._ends.labels(what).set(end.timestamp())

    def render(self) -> bytes:
        """All of them, in Prometheus' text format."""
        if SHARED_FOLDER not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)
