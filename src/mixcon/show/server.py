"""Runs the page's server until Ctrl-C."""

from __future__ import annotations

import ipaddress
import signal
import socket
from collections.abc import Callable

import uvicorn

from mixcon.errors import ConfigError
from mixcon.show.app import PAGE, application
from mixcon.show.content import Content
from mixcon.show.learner import Learner

__all__ = ["PageServer", "check_runtime", "listen"]

_RUNTIME = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")


class PageServer:
    """Serves one page.

    Args:
        content: what it shows.
        listener: what `listen` gave.
        host: the address that it is bound to.

    Attributes:
        url: where it is.
    """

    def __init__(self, content: Content, listener: socket.socket, host: str) -> None:
        self._listener = listener
        self.url = f"http://{_bracketed(host)}:{listener.getsockname()[1]}"
        app = application(content, Learner(content.lessons), _names(host))
        self.uvicorn = uvicorn.Server(
            uvicorn.Config(
                app, lifespan="on", ws="none", log_config=None, log_level="error",
                access_log=False, proxy_headers=False, server_header=False,
                timeout_graceful_shutdown=3,
            )
        )  # fmt: skip

    def run(self, on_start: Callable[[], object] = lambda: None) -> None:
        """Serve until SIGTERM or Ctrl-C.

        Args:
            on_start: told once the address is taken; connections wait until they are served.
        """
        on_start()
        # uvicorn raises the signal again when it is done, which shall not end us.
        previous = {s: signal.signal(s, signal.SIG_IGN) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            self.serve()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def serve(self) -> None:
        """Serve until `uvicorn.should_exit`, in any thread."""
        self.uvicorn.run(sockets=[self._listener])


def check_runtime() -> None:
    """Refuse a package that was built without the browser's ONNX Runtime.

    Raises:
        ConfigError: it is not there; says how to get it.
    """
    missing = [name for name in _RUNTIME if not (PAGE / "runtime" / name).is_file()]
    if missing:
        raise ConfigError(
            f"expected the page's ONNX Runtime, but this installation of mixcon was built without "
            f"{missing[0]}; install Node.js 20 or later, which has npm, and install mixcon again "
            "(in a checkout: pip install -e .)"
        )


def listen(host: str, port: int) -> socket.socket:
    """A socket on an address; port 0 takes a free one.

    Raises:
        ConfigError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(
            f"expected to listen on {host}:{port}, but {error}; choose another --port"
        ) from error


def _names(host: str) -> list[str]:
    """What a browser may call an address: itself, and the machine's own names for loopback."""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    return [_bracketed(host), host, "localhost", "127.0.0.1"] if loopback else ["*"]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
