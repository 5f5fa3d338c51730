"""Full collections of garbage wait while many connections are open, but not forever."""

import asyncio
import gc
import multiprocessing
import weakref

import pytest

from mixcon.serving.collection import Collection


class Node:
    """Part of a cycle."""


def old_cycle():
    """One that only a full collection finds."""
    node = Node()
    node.itself = node
    gc.collect(1)
    return weakref.ref(node)


def looks_until_found(connections):
    """How many looks it takes, in a process of its own: there is one collector in each."""

    async def find():
        collection = Collection(lambda: connections)
        collection.start()
        assert gc.get_freeze_count() > 0
        cycle, count = old_cycle(), 0
        while cycle() is not None:
            collection._look()  # as the timer does once a minute
            count += 1
        return count, collection

    before = gc.get_threshold()
    count, collection = asyncio.run(find())
    assert gc.get_threshold() != before
    collection.stop()
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
    return count


@pytest.mark.parametrize(("connections", "looks"), [(0, 1), (500, 1), (501, 5), (10_000, 5)])
def test_full_collections_wait_for_few_connections(connections, looks):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(looks_until_found, (connections,)) == looks


def frozen_afterwards():
    async def serve():
        collection = Collection(lambda: 0)
        collection.start()
        return collection

    gc.freeze()
    asyncio.run(serve()).stop()
    return gc.get_freeze_count()


def test_what_an_embedding_program_froze_stays_frozen():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(frozen_afterwards) > 0
