"""Serving: export the two halves, serve the head in the cloud, run the encoder on the device."""

from mixcon.serving._extra import check_extra

check_extra()

from mixcon.serving.capture import read_capture  # noqa: E402
from mixcon.serving.client import EdgeClient, Predictions  # noqa: E402
from mixcon.serving.contract import AuditSummary, Contract  # noqa: E402
from mixcon.serving.endpoint import Endpoint  # noqa: E402
from mixcon.serving.export import Exported, export, export_run  # noqa: E402
from mixcon.serving.export_reader import read_contract  # noqa: E402
from mixcon.serving.limits import ServerLimits  # noqa: E402
from mixcon.serving.server import CloudServer  # noqa: E402
from mixcon.serving.service import CloudService  # noqa: E402
from mixcon.serving.tls import Tls  # noqa: E402
from mixcon.serving.tokens import Tokens  # noqa: E402
from mixcon.serving.wire import WIRES, Wire  # noqa: E402

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
