"""Ctrl-C while the command still imports its libraries ends in one line, as it does later."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

__all__ = ["IS_COMMAND", "leave_signals_to_the_verb"]

_INTERRUPTED = 130  # the shell's code for Ctrl-C


def leave_signals_to_the_verb() -> None:
    """From here on Ctrl-C is a KeyboardInterrupt again."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(*_: object) -> NoReturn:
    os.write(2, b"\nInterrupted before anything was done.\n")
    os._exit(_INTERRUPTED)


def _is_command(words: list[str]) -> bool:
    """Whether this process is `mixcon` or `python -m mixcon`, not a program that imports it."""
    if sys.argv[:1] == ["-m"]:  # as long as the module is looked for
        return "-m" in words and words[words.index("-m") + 1 :][:1] == ["mixcon"]
    return len(words) > 1 and Path(words[1]).stem == "mixcon"


IS_COMMAND = _is_command(sys.orig_argv)
"""Whether signals are this command's own business."""

if IS_COMMAND and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, _leave)
