"""mixcon serve."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mixcon.cli._console import say, warn
from mixcon.errors import ConfigError

if TYPE_CHECKING:
    from mixcon.serving import CloudServer, Tls

__all__ = ["serve"]

_CONTRACT = "Contract"
_ACCESS = "Access"
_LOAD = "Load"


def serve(
    folders: Annotated[
        list[Path],
        typer.Argument(
            help="Cloud folders of mixcon export: one a model, and newer exports of it behind."
        ),
    ],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8080,
    grpc_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Answer gRPC there as well (extra grpc); 0 takes a free one."
        ),
    ] = None,
    canary: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Share of requests for no version in particular that the newest export of a model "
            "answers, the others being answered by the first; it has to have the same encoder.",
        ),
    ] = 0.0,
    trust: Annotated[
        Path | None,
        typer.Option(
            envvar="MIXCON_TRUSTED_KEY",
            help="Public key of who exported it (default: the key of this machine's exports)",
            rich_help_panel=_CONTRACT,
        ),
    ] = None,
    max_excess: Annotated[
        float,
        typer.Option(
            help="Largest excess leakage that the audit may leave open, by the upper end of its "
            "95 % interval: 0 is no more than the class gives away, 1 an exact copy.",
            rich_help_panel=_CONTRACT,
        ),
    ] = 0.3,
    unaudited: Annotated[
        bool,
        typer.Option(
            "--unaudited",
            help="Serve without an audit, or whatever it found.",
            rich_help_panel=_CONTRACT,
        ),
    ] = False,
    cert: Annotated[
        Path | None,
        typer.Option(help="PEM certificate chain, for HTTPS.", rich_help_panel=_ACCESS),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="PEM key of --cert.", rich_help_panel=_ACCESS)
    ] = None,
    client_ca: Annotated[
        Path | None,
        typer.Option(
            help="PEM authority; clients must show a certificate of it.", rich_help_panel=_ACCESS
        ),
    ] = None,
    tokens: Annotated[
        Path | None,
        typer.Option(help="File of bearer tokens, one a line.", rich_help_panel=_ACCESS),
    ] = None,
    max_batch: Annotated[
        int,
        typer.Option(min=1, help="Rows in a request and in a batch.", rich_help_panel=_LOAD),
    ] = 256,
    max_delay_ms: Annotated[
        float,
        typer.Option(
            min=0,
            help="How long a request may wait for others while the head is idle.",
            rich_help_panel=_LOAD,
        ),
    ] = 0.0,
    max_queue: Annotated[
        int,
        typer.Option(
            min=1, help="Rows that may wait; further ones get 503.", rich_help_panel=_LOAD
        ),
    ] = 1024,
    max_body: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Bytes of a request body (default: what --max-batch rows need)",
            rich_help_panel=_LOAD,
        ),
    ] = None,
    memory: Annotated[
        int,
        typer.Option(min=1, help="MiB for all request bodies in work.", rich_help_panel=_LOAD),
    ] = 256,
    connections: Annotated[
        int, typer.Option(min=1, help="Open connections.", rich_help_panel=_LOAD)
    ] = 1000,
    peer_share: Annotated[
        float,
        typer.Option(
            min=0.01,
            max=1,
            help="Largest part of connections and memory for one address; 1 behind a proxy.",
            rich_help_panel=_LOAD,
        ),
    ] = 0.5,
    timeout: Annotated[
        float,
        typer.Option(
            min=0.1,
            help="Seconds for a TLS handshake, and for a request to come in.",
            rich_help_panel=_LOAD,
        ),
    ] = 10.0,
    threads: Annotated[
        int, typer.Option(min=1, help="Threads that share one batch.", rich_help_panel=_LOAD)
    ] = 1,
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            help="Processes that serve on the port; connections, memory and queue are divided "
            "among them.",
            rich_help_panel=_LOAD,
        ),
    ] = 1,
    log: Annotated[
        str | None,
        typer.Option(
            help="Append a line of JSON for each request and refusal to this file; - for standard "
            "error."
        ),
    ] = None,
    traces: Annotated[
        bool,
        typer.Option(
            "--traces",
            help="Send traces to a collector of OpenTelemetry (extra traces); its own variables "
            "say where to, such as OTEL_EXPORTER_OTLP_ENDPOINT.",
        ),
    ] = False,
) -> None:
    """Serve the head of an export with the Open Inference Protocol v2, until SIGTERM or Ctrl-C.

    Refuses a contract whose signature or hash does not hold, or whose audit found too much or
    tried too little: it asks for all of the strongest attacks with full steps and chosen settings,
    as mixcon audit runs them by default, on 50 inputs or more, and for a model that beats guessing.
    Metrics for Prometheus are at /metrics. SIGHUP reads export, tokens and certificates again.

    Example: mixcon serve deploy/cloud --cert cert.pem --key key.pem --tokens tokens.txt
    Example: mixcon serve deploy/cloud new/cloud --canary 0.1 --grpc-port 8081
    """
    from mixcon.serving import ServerLimits, Tls  # noqa: PLC0415
    from mixcon.serving.signing import DEFAULT_TRUST  # noqa: PLC0415
    from mixcon.serving.workers import Workers  # noqa: PLC0415

    if (cert is None) != (key is None) or (client_ca and not cert):
        raise ConfigError("expected --cert and --key together, and both with --client-ca")
    if max_queue < max_batch:
        raise ConfigError(
            f"expected --max-queue of at least --max-batch, {max_batch}, but got {max_queue}"
        )
    limits = ServerLimits(
        max_batch=max_batch,
        max_delay=max_delay_ms / 1000,
        max_queue=max_queue,
        max_body=max_body,
        memory=memory * 2**20,
        receive_timeout=timeout,
        connections=connections,
        peer_share=peer_share,
        threads=threads,
    )
    make = partial(
        _server,
        folders,
        log,
        Tls(cert, key, client_ca) if cert and key else None,
        trust=trust or DEFAULT_TRUST,
        max_excess=max_excess,
        unaudited=unaudited,
        limits=limits.part_of(workers),
        tokens=tokens,
        canary=canary,
        traces=traces,
    )
    server = make()
    listener, url = server.bind(host, port, shared=workers > 1)
    named = ", ".join(dict.fromkeys(contract.name for contract in server.contracts))
    also = ""
    if grpc_port is not None:
        grpc_listener, grpc_url = server.bind(host, grpc_port, shared=workers > 1)
        server.add_grpc(grpc_listener)
        also = f", gRPC at {grpc_url.split('://')[1]}"
    if unaudited:
        warn("--unaudited: nobody vouches for what this model leaks.")
    if any(contract.is_old for contract in server.contracts):
        warn("this contract is of an earlier version: an older one can take its place.")
    if not cert and not _is_loopback(host):
        warn("without --cert, what devices send can be read on the way.")
    for words in server.warnings:
        warn(words)
    serving = partial(say, f"Serving {named}{also} at {url}")
    if workers == 1:
        server.run(listener, serving, say)
    else:
        ports = [listener.getsockname()[1]]
        if grpc_port is not None:
            ports.append(grpc_listener.getsockname()[1])
        Workers(make, host, ports, workers, say).run(
            serving, partial(warn, "a worker ended, and was started again.")
        )
    say("Stopped; every request that was taken is answered.")


def _server(folders: list[Path], log: str | None, tls: Tls | None, **settings: Any) -> CloudServer:
    """One worker's server; its log is opened where it runs."""
    from mixcon.serving import CloudServer, CloudService  # noqa: PLC0415

    return CloudServer(CloudService(folders, log_line=_log(log), **settings), tls=tls)


def _log(where: str | None) -> Callable[[str], object] | None:
    """What takes the log's lines; they are flushed one by one."""
    if where is None:
        return None
    return sys.stderr.write if where == "-" else Path(where).open("a", buffering=1).write


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
