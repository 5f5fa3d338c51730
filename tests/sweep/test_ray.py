"""A real cluster of two nodes on this machine; one of them is killed."""

import json
import os
from pathlib import Path

import pytest
from real_sweep import start, states

from mixcon.attacks import Rmle
from mixcon.errors import ConfigError
from mixcon.sweep import Job, LocalPool, RayPool, SweepFolder
from mixcon.training import TrainConfig

ray = pytest.importorskip("ray", reason="needs Ray: pip install 'mixcon[ray]'")
pytestmark = [pytest.mark.smoke, pytest.mark.filterwarnings("ignore::FutureWarning:ray")]


@pytest.fixture
def nodes(tmp_path, monkeypatch):
    """A head and one more node, a core each; their jobs work below `tmp_path`."""
    from ray.cluster_utils import Cluster  # noqa: PLC0415  only where Ray is

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")  # noqa: S108  sockets need a short path
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    small = {"num_cpus": 1, "object_store_memory": 100 * 2**20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=small)
    second = cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20)
    cluster.wait_for_nodes()
    yield cluster, second
    cluster.shutdown()


def job(folder, seed, epochs):
    config = TrainConfig(data="digits", network="lenet5", epochs=epochs, holdout=0.1, seed=seed)
    return Job(f"vanilla-000{seed}", "vanilla", config, "cheap", (Rmle(steps=5),), folder, 2,
               accelerator="cpu")  # fmt: skip


def started(folder: Path):
    return {path.parent for path in folder.glob("mixcon-*/run/metrics.jsonl")}


def test_lost_node_means_its_jobs_run_again(tmp_path, nodes):
    cluster, second = nodes
    jobs = [job(tmp_path / "trials" / str(seed), seed, epochs=8) for seed in range(4)]
    pool, waiting, outcomes, seen = RayPool(cluster.address), list(jobs), [], set()
    try:
        while len(outcomes) < len(jobs):
            while waiting and pool.free:
                pool.submit(waiting.pop(0))
            if pool.running:
                outcomes += pool.wait(0.05)
            seen |= started(tmp_path)
            if second and len(seen) >= 2:
                cluster.remove_node(second, allow_graceful=False)
                second = None
    finally:
        pool.close()
    assert second is None
    assert [outcome.reason for outcome in outcomes] == [None] * 4
    assert all(job.result.is_file() for job in jobs)
    assert len(seen) == 5  # four jobs, one of which was begun twice


def test_cluster_and_this_machine_agree(tmp_path, nodes):
    cluster, _ = nodes
    pools = {"ray": RayPool(cluster.address), "local": LocalPool(1, threads=1)}
    for name, pool in pools.items():
        try:
            pool.submit(job(tmp_path / name, 0, epochs=1))
            outcomes = []
            while not outcomes:
                outcomes = pool.wait(1)
            assert outcomes[0].reason is None
        finally:
            pool.close()
    names = ("model.safetensors", "config.toml")
    for name in names:
        assert (tmp_path / "ray" / name).read_bytes() == (tmp_path / "local" / name).read_bytes()


def test_cluster_without_a_gpu_is_refused_for_cuda(nodes):
    cluster, _ = nodes
    with pytest.raises(ConfigError, match="expected a Ray cluster with a GPU"):
        RayPool(cluster.address, gpu=True)


def test_no_cluster_is_one_clear_error(monkeypatch):
    monkeypatch.setitem(os.environ, "RAY_USAGE_STATS_ENABLED", "0")
    with pytest.raises(ConfigError, match="expected a Ray cluster at auto"):
        RayPool("auto")


def test_command_ends_complete_although_a_node_is_lost(tmp_path, nodes):
    cluster, second = nodes
    folder = tmp_path / "s"
    with start(folder, "--ray", cluster.address) as process:
        process.wait_until(lambda: len(started(tmp_path)) >= 2)
        cluster.remove_node(second, allow_graceful=False)
        assert process.wait(600) == 0, process.said
    assert len(list(tmp_path.glob("mixcon-*"))) == 1  # what the lost node was at work on
    assert states(SweepFolder(folder).storage) == ["COMPLETE"] * 3
    record = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert [trial["state"] for trial in record["trials"]] == ["done"] * 3
    assert len(list(folder.glob("trials/*/cheap.json"))) == 3
    assert all((folder / "trials" / name / "test.json").is_file() for name in record["front"])
