"""Fits decoders beside the server, those first that somebody waits for."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from mixcon.show.curious_cloud import CuriousCloud

__all__ = ["Learner", "Lesson"]


@dataclass(frozen=True)
class Lesson:
    """One decoder that is to be fitted: a cloud's for a level of noise."""

    cloud: CuriousCloud
    level: int


class Learner:
    """Works through lessons in a thread of its own.

    Args:
        lessons: in the order in which nobody asks for them.

    Attributes:
        failed: lessons that came to nothing, and why.
    """

    def __init__(self, lessons: Sequence[Lesson]) -> None:
        self._open = list(lessons)
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="learner")
        self.failed: dict[Lesson, str] = {}

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End at the next step of the lesson at hand; what it learned is lost."""
        self._stopped.set()
        self._thread.join()

    def want(self, lesson: Lesson) -> None:
        """Take this lesson next, if it is still open."""
        with self._lock:
            if lesson in self._open:
                self._open.remove(lesson)
                self._open.insert(0, lesson)

    def _run(self) -> None:
        while lesson := self._next():
            try:
                lesson.cloud.learn(lesson.level, self._go_on)
            except _StoppedError:
                return
            except Exception as error:  # whoever waits for it is told; the others are fitted
                self.failed[lesson] = str(error)

    def _next(self) -> Lesson | None:
        with self._lock:
            return self._open.pop(0) if self._open else None

    def _go_on(self, _: float) -> None:
        if self._stopped.is_set():
            raise _StoppedError


class _StoppedError(Exception):
    """The server ends."""
