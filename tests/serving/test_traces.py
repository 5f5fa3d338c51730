"""Traces, as a collector of OpenTelemetry gets them."""

import http.server
import threading

import httpx2
import pytest
import tritonclient.grpc as triton
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from serving_parts import INFER, as_json, random_z, serving_both

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def collector(monkeypatch):
    """Spans that came in by OTLP, whole."""
    spans = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    spans.extend(scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield spans
    server.shutdown()
    thread.join(60)
    server.server_close()


def facts(span):
    return {a.key: a.value.string_value or a.value.int_value for a in span.attributes}


def test_a_request_goes_on_with_its_clients_trace(collector, plain_export, trust):
    z, parent = random_z(1), f"00-{TRACE}-b7ad6b7169203331-01"
    with serving_both(plain_export.folder / "cloud", trust, traces=True) as (url, address):
        headers = {"traceparent": parent, "x-request-id": "mine"}
        assert httpx2.post(url + INFER, json=as_json(z), headers=headers).status_code == 200
        assert httpx2.post(url + INFER, content=b"{}", headers=headers).status_code == 400
        client = triton.InferenceServerClient(address)
        tensor = triton.InferInput("z", z.shape, "FP32")
        client.infer("digits", [tensor.set_data_from_numpy(z)], headers={"traceparent": parent})
        client.close()
    ours = [span for span in collector if span.trace_id.hex() == TRACE]  # all sent by its end
    whole = [span for span in ours if span.name == "infer digits"]
    assert sorted(
        (facts(span)["network.protocol.name"], facts(span)["http.response.status_code"])
        for span in whole
    ) == [("grpc", 200), ("http", 200), ("http", 400)]
    assert {span.parent_span_id.hex() for span in whole} == {"b7ad6b7169203331"}
    (mine,) = [span for span in whole if (facts(span)["http.response.status_code"], facts(span)
               ["network.protocol.name"]) == (200, "http")]  # fmt: skip
    steps = {span.name for span in ours if span.parent_span_id == mine.span_id}
    assert steps == {"receive", "head"}
    assert facts(mine)["mixcon.request_id"] == "mine"
    assert facts(mine)["mixcon.version"] == "1"
