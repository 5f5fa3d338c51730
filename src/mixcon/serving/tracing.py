"""Traces of requests, sent by OTLP to a collector of OpenTelemetry; no number of z is in them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from mixcon._extras import check_extra

if TYPE_CHECKING:
    from mixcon.serving.exchange import Exchange

__all__ = ["Tracing"]

_SERVICE = "OTEL_SERVICE_NAME"


class Tracing:
    """Sends a span for each request, and further ones for the steps of an inference.

    OpenTelemetry's own variables say where to, and how: ``OTEL_EXPORTER_OTLP_ENDPOINT`` (default:
    ``http://localhost:4318``), ``OTEL_SERVICE_NAME`` (``mixcon``), ``OTEL_TRACES_SAMPLER`` and so
    on.

    Raises:
        ConfigError: the extra `traces` is not installed.
    """

    def __init__(self) -> None:
        check_extra("traces")
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.trace import SpanKind  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        named = {} if _SERVICE in os.environ else {"service.name": "mixcon"}
        self._provider = TracerProvider(resource=Resource.create(named))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("mixcon")
        self._propagator, self._kind = TraceContextTextMapPropagator(), SpanKind.SERVER

    @contextmanager
    def request(self, exchange: Exchange, header: Callable[[str], str | None]) -> Iterator[None]:
        """The span of one request, which goes on with the client's trace where it has one.

        Args:
            exchange: the request; gets the trace's id, and says in the end what came of it.
            header: value of a header of the request, if there is one.
        """
        carrier = {name: header(name) or "" for name in self._propagator.fields}
        parent = self._propagator.extract(carrier)
        with self._tracer.start_as_current_span(
            exchange.protocol, parent, self._kind, record_exception=False
        ) as span:
            exchange.trace = format(span.get_span_context().trace_id, "032x")
            try:
                yield
            finally:
                span.update_name(_name(exchange))
                span.set_attributes(_attributes(exchange))

    def step(self, name: str) -> AbstractContextManager[Any]:
        """The span of a step of the request at hand."""
        return self._tracer.start_as_current_span(name, record_exception=False)

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


def _name(exchange: Exchange) -> str:
    """One out of few, whatever clients ask for."""
    return f"infer {exchange.model}" if exchange.served else f"{exchange.protocol} request"


def _attributes(exchange: Exchange) -> dict[str, str | int]:
    served: dict[str, str | int] = (
        {"mixcon.model": exchange.model, "mixcon.version": exchange.version}
        if exchange.served
        else {}
    )
    return served | {
        "client.address": exchange.peer,
        "http.request.method": exchange.method,
        "http.request.body.size": exchange.received,
        "http.response.status_code": exchange.status,
        "mixcon.request_id": exchange.id,
        "network.protocol.name": exchange.protocol,
        "url.path": exchange.path,
    }
