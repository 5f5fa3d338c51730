"""Full collections of garbage wait while many connections are open, but not forever."""

import asyncio
import gc
import weakref

import pytest

from mixcon.serving.collection import Collection


@pytest.fixture
def usual():
    """The collector as it was, afterwards."""
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


class Node:
    """Part of a cycle."""


def old_cycle():
    """One that only a full collection finds."""
    node = Node()
    node.itself = node
    gc.collect(1)
    return weakref.ref(node)


@pytest.mark.usefixtures("usual")
@pytest.mark.parametrize(("connections", "looks"), [(0, 1), (500, 1), (501, 5), (10_000, 5)])
def test_full_collections_wait_for_few_connections(connections, looks):
    async def find():
        collection = Collection(lambda: connections)
        collection.start()
        assert gc.get_freeze_count() > 0
        cycle, count = old_cycle(), 0
        while cycle() is not None:
            collection._look()  # as the timer does once a minute
            count += 1
        return count

    assert asyncio.run(find()) == looks
