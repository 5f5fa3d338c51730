"""A real cluster of two nodes on this machine; one of them is killed."""

import json
import os
import socket

import pytest
from real_sweep import start, states

from mixcon.attacks import Rmle
from mixcon.errors import ConfigError
from mixcon.sweep import Job, LocalPool, RayPool, SweepFolder
from mixcon.training import TrainConfig

ray = pytest.importorskip("ray", reason="needs Ray: pip install 'mixcon[ray]'")
pytestmark = [pytest.mark.smoke, pytest.mark.filterwarnings("ignore::FutureWarning:ray")]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Where the nodes' jobs work."""
    return tmp_path_factory.mktemp("nodes")


@pytest.fixture(scope="module")
def nodes(place):
    """A head and one more node, a core each."""
    from ray.cluster_utils import Cluster  # noqa: PLC0415  only where Ray is

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(place))
        patch.setenv("RAY_TMPDIR", "/tmp")  # noqa: S108  sockets need a short path
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
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


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_no_cluster_is_one_clear_error_at_once(scheme, monkeypatch):
    monkeypatch.setitem(os.environ, "RAY_USAGE_STATS_ENABLED", "0")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"{scheme}127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(ConfigError, match=f"expected a Ray cluster at {address}, but got"):
        RayPool(address)


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


def test_the_jobs_of_a_lost_node_run_again(tmp_path, place, nodes):
    """The last test of the file, for it takes a node away."""
    cluster, second = nodes
    folder, seen = tmp_path / "s", set()

    def two_are_at_work():
        seen.update(path.parent for path in place.glob("mixcon-*/run/metrics.jsonl"))
        return len(seen) >= 2

    with start(folder, "--ray", cluster.address) as process:
        process.wait_until(two_are_at_work)
        cluster.remove_node(second, allow_graceful=False)
        assert process.wait(600) == 0, process.said
    (lost,) = place.glob("mixcon-*")
    assert lost / "run" in seen  # a job that was at work was begun again
    assert states(SweepFolder(folder).storage) == ["COMPLETE"] * 3
    record = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert [trial["state"] for trial in record["trials"]] == ["done"] * 3
    assert len(list(folder.glob("trials/*/cheap.json"))) == 3
    assert all((folder / "trials" / name / "test.json").is_file() for name in record["front"])
