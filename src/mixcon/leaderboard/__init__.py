"""The leaderboard: defenses side by side, each entry a bundle that anybody can check again."""

from mixcon.leaderboard.board import BoardRow, board_rows, on_front
from mixcon.leaderboard.board_audit import audit_for_board, rescore_entry
from mixcon.leaderboard.entry import Entry, Manifest, add_entry, read_entries, read_entry
from mixcon.leaderboard.frontier import Frontier, record_frontier
from mixcon.leaderboard.page import FRONTS, fronts_picture, leaderboard_page
from mixcon.leaderboard.verify import Finding, verify_entry

__all__ = [
    "FRONTS",
    "BoardRow",
    "Entry",
    "Finding",
    "Frontier",
    "Manifest",
    "add_entry",
    "audit_for_board",
    "board_rows",
    "fronts_picture",
    "leaderboard_page",
    "on_front",
    "read_entries",
    "read_entry",
    "record_frontier",
    "rescore_entry",
    "verify_entry",
]
