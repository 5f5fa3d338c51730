"""A running server takes up a new export, new tokens and new certificates, and loses nothing."""

import asyncio
import concurrent.futures
import contextlib
import datetime
import shutil
import ssl
import threading

import httpx2
import numpy as np
import pytest
from benchmarks._certificates import certificate
from serving_parts import INFER, as_json, made, random_z

from mixcon.errors import ConfigError, ContractError
from mixcon.serving import EdgeClient, Tls, read_contract, signing
from mixcon.serving.runtime import session

pytestmark = pytest.mark.usefixtures("own_state")
Z = random_z(1)
FINE = as_json(Z)


@contextlib.contextmanager
def running(folder, trust, **settings):
    """A server, its URL, and how to reload it from this thread."""
    server = made(folder, trust, **settings)
    listener, url = server.bind("127.0.0.1", 0)
    loops, started = [], threading.Event()
    server.uvicorn.on_start = lambda: (loops.append(asyncio.get_running_loop()), started.set())
    thread = threading.Thread(target=server.uvicorn.run, kwargs={"sockets": [listener]})
    thread.start()
    assert started.wait(60)

    def reload():
        asyncio.run_coroutine_threadsafe(server.reload(), loops[0]).result(60)

    try:
        yield url, reload
    finally:
        server.uvicorn.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture
def cloud(plain_export, tmp_path):
    return shutil.copytree(plain_export.folder, tmp_path / "export") / "cloud"


def replace(cloud, export, keys, **changes):
    """Put another export in its place, as a newer one."""
    shutil.copy(export.folder / "cloud" / "head.onnx", cloud / "head.onnx")
    contract = export.contract.model_copy(update={"sequence": 2, **changes})
    contract.write(cloud, signing.private_key(keys))
    return contract


def logits_of(export):
    head = session((export.folder / "cloud" / "head.onnx").read_bytes())
    return head.run(None, {"z": Z})[0].ravel()


def test_a_new_export_takes_over_under_load(cloud, plain_export, noisy_export, keys, trust):
    """Each answer is whole and of one of the two heads, and says of which."""
    done, begun = threading.Event(), threading.Barrier(5)

    def ask():
        found = []
        with httpx2.Client(timeout=60) as client:
            client.post(url + INFER, json=FINE)
            begun.wait(60)
            while not (done.is_set() and found):
                answer = client.post(url + INFER, json=FINE)
                assert answer.status_code == 200
                content = answer.json()
                served = content["parameters"]["contract_sha256"]
                found.append((served, content["outputs"][0]["data"]))
        return found

    old = plain_export.contract
    with (
        running(cloud, trust) as (url, reload),
        concurrent.futures.ThreadPoolExecutor(4) as pool,
    ):
        asking = [pool.submit(ask) for _ in range(4)]
        begun.wait(60)
        new = replace(cloud, noisy_export, keys)
        reload()
        done.set()
        found = [answer for one in asking for answer in one.result(120)]
        metadata = httpx2.get(url + "/v2/models/digits").json()
    expected = {old.sha256: logits_of(plain_export), new.sha256: logits_of(noisy_export)}
    for served, data in found:
        np.testing.assert_allclose(data, expected[served], atol=1e-4)
    assert metadata["parameters"]["contract_sha256"] == new.sha256


def test_a_device_of_the_old_export_refuses_the_new_ones_labels(
    cloud, plain_export, noisy_export, keys, trust
):
    with (
        running(cloud, trust) as (url, reload),
        EdgeClient(plain_export.folder / "edge", url, trust=trust) as edge,
    ):
        assert len(edge.infer(np.zeros((1, 1, 28, 28))).labels) == 1
        replace(cloud, noisy_export, keys)
        reload()
        with pytest.raises(ContractError, match="but it serves"):
            edge.infer(np.zeros((1, 1, 28, 28)))


def test_what_cannot_be_taken_up_changes_nothing(cloud, plain_export, keys, trust, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("t" * 20)
    own = {"Authorization": f"Bearer {'t' * 20}"}
    with running(cloud, trust, tokens=tokens) as (url, reload):
        tokens.write_text("short")
        with pytest.raises(ConfigError, match="16 characters"):
            reload()
        assert httpx2.post(url + INFER, json=FINE, headers=own).status_code == 200
        tokens.write_text("u" * 20)
        (cloud / "head.onnx").write_bytes(b"cut off")
        with pytest.raises(ContractError, match="another hash"):
            reload()
        assert httpx2.post(url + INFER, json=FINE, headers=own).status_code == 200
        replace(cloud, plain_export, keys)
        reload()
        assert httpx2.post(url + INFER, json=FINE, headers=own).status_code == 401
        own = {"Authorization": f"Bearer {'u' * 20}"}
        assert httpx2.post(url + INFER, json=FINE, headers=own).status_code == 200
        replace(cloud, plain_export, keys, sequence=1)
        with pytest.raises(ContractError, match="or a newer one"):
            reload()
    assert read_contract(cloud, "head", trust).sequence == 1


def test_new_certificates_are_shown_and_open_connections_stay(cloud, trust, tmp_path):
    first, second = (certificate(name, tmp_path) for name in ("first", "second"))
    files = (tmp_path / "server.pem", tmp_path / "server.key")

    def trusting(name):
        return httpx2.Client(
            timeout=60, verify=ssl.create_default_context(cafile=tmp_path / f"{name}.pem")
        )

    certificate("server", tmp_path, first)
    with (
        running(cloud, trust, tls=Tls(*files)) as (url, reload),
        trusting("first") as early,
        trusting("second") as late,
    ):
        assert early.get(url + "/v2/health/live").status_code == 200
        with pytest.raises(httpx2.ConnectError):
            late.get(url + "/v2/health/live")
        certificate("server", tmp_path, second)
        reload()
        assert late.get(url + "/v2/health/live").status_code == 200
        assert early.get(url + "/v2/health/live").status_code == 200  # on its open connection
        with trusting("first") as newcomer, pytest.raises(httpx2.ConnectError):
            newcomer.get(url + "/v2/health/live")
        files[0].write_text("none")
        with pytest.raises(ConfigError, match="PEM files"):
            reload()
        assert late.get(url + "/v2/health/live").status_code == 200


def test_what_ends_soon_is_said_in_time(cloud, plain_export, keys, trust, tmp_path):
    def said(days, **changes):
        certificate("server", tmp_path, certificate("own", tmp_path), days=days)
        replace(cloud, plain_export, keys, **changes)
        tls = Tls(tmp_path / "server.pem", tmp_path / "server.key")
        return made(cloud, trust, tls=tls).warnings

    now = datetime.datetime.now(datetime.UTC)
    assert said(90) == []
    (certificate_ends,) = said(3, expires=now + datetime.timedelta(days=90))
    assert "the certificate ends in 2 days" in certificate_ends
    (contract_ends,) = said(90, expires=now + datetime.timedelta(days=10, hours=1))
    assert "the contract ends in 10 days" in contract_ends


def test_metrics_say_when_certificate_and_contract_end(cloud, trust, tmp_path):
    certificate("server", tmp_path, certificate("own", tmp_path))
    tls = Tls(tmp_path / "server.pem", tmp_path / "server.key")
    verify = ssl.create_default_context(cafile=tmp_path / "own.pem")
    with running(cloud, trust, tls=tls) as (url, _):
        shown = httpx2.get(url + "/metrics", verify=verify).text
    (line,) = [li for li in shown.splitlines() if li.startswith("mixcon_end_timestamp_seconds{")]
    assert 'what="certificate"' in line
    assert float(line.split()[-1]) == pytest.approx(tls.end.timestamp())
