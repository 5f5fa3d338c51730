"""Worker processes, forked from one that computes nothing and has imported what they need."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerContext

__all__ = ["fork_server"]


def fork_server(module: str) -> ForkServerContext:
    """Where workers come from: a process that computes cannot be forked.

    Args:
        module: what they run, imported once for all with Lightning, which takes seconds.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module, "mixcon._lightning"])
    return context
