"""Decoders are fitted beside the server: what is asked for comes first, and the end is quick."""

import threading

import pytest

from mixcon.show.learner import Learner, Lesson


class Cloud:
    """Learns when it is told to; the real one takes long and cannot be made to fail."""

    def __init__(self):
        self.learned, self.go = [], threading.Semaphore(0)

    def learn(self, level, on_step):
        self.go.acquire()
        on_step(0.5)
        if level == 9:
            raise ValueError("no such luck")
        self.learned.append(level)


@pytest.fixture
def cloud():
    return Cloud()


def finished(learner):
    learner._thread.join(60)
    return not learner._thread.is_alive()


def test_what_is_wanted_comes_first(cloud):
    learner = Learner([Lesson(cloud, level) for level in range(4)])
    learner.want(Lesson(cloud, 3))
    learner.want(Lesson(cloud, 7))  # never planned
    learner.start()
    cloud.go.release(4)
    assert finished(learner)
    assert cloud.learned == [3, 0, 1, 2]


def test_a_failure_is_told_and_ends_nothing(cloud):
    learner = Learner([Lesson(cloud, 9), Lesson(cloud, 1)])
    learner.start()
    cloud.go.release(2)
    assert finished(learner)
    assert learner.failed == {Lesson(cloud, 9): "no such luck"}
    assert cloud.learned == [1]


def test_stop_ends_the_lesson_at_hand(cloud):
    learner = Learner([Lesson(cloud, 0), Lesson(cloud, 1)])
    learner.start()
    stopper = threading.Thread(target=learner.stop)
    stopper.start()
    learner._stopped.wait(60)
    cloud.go.release(2)
    stopper.join(60)
    assert not stopper.is_alive()
    assert cloud.learned == []
