"""Serving: export the two halves, serve the head in the cloud, run the encoder on the device."""

from typing import TYPE_CHECKING

from mixcon._lazy import lazy

if TYPE_CHECKING:
    from mixcon.serving.capture import read_capture
    from mixcon.serving.client import EdgeClient, Predictions
    from mixcon.serving.contract import AuditSummary, Contract
    from mixcon.serving.endpoint import Endpoint
    from mixcon.serving.export_reader import read_contract
    from mixcon.serving.export_writer import Exported, export, export_run
    from mixcon.serving.limits import ServerLimits
    from mixcon.serving.server import CloudServer
    from mixcon.serving.service import CloudService
    from mixcon.serving.tls import Tls
    from mixcon.serving.tokens import Tokens
    from mixcon.serving.wire import WIRES, Wire
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "mixcon.serving.capture": ["read_capture"],
            "mixcon.serving.client": ["EdgeClient", "Predictions"],
            "mixcon.serving.contract": ["AuditSummary", "Contract"],
            "mixcon.serving.endpoint": ["Endpoint"],
            "mixcon.serving.export_reader": ["read_contract"],
            "mixcon.serving.export_writer": ["Exported", "export", "export_run"],
            "mixcon.serving.limits": ["ServerLimits"],
            "mixcon.serving.server": ["CloudServer"],
            "mixcon.serving.service": ["CloudService"],
            "mixcon.serving.tls": ["Tls"],
            "mixcon.serving.tokens": ["Tokens"],
            "mixcon.serving.wire": ["WIRES", "Wire"],
        },
    )

__all__ = [
    "WIRES",
    "AuditSummary",
    "CloudServer",
    "CloudService",
    "Contract",
    "EdgeClient",
    "Endpoint",
    "Exported",
    "Predictions",
    "ServerLimits",
    "Tls",
    "Tokens",
    "Wire",
    "export",
    "export_run",
    "read_capture",
    "read_contract",
]
