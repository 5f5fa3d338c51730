"""Several models and versions on one server: who answers, and what may stand beside what."""

import json
import shutil
from collections import Counter

import httpx2
import numpy as np
import pytest
from serving_parts import as_json, made, random_z, serving

from mixcon.errors import ConfigError, ContractError
from mixcon.serving import EdgeClient, signing
from mixcon.serving.export_reader import read_half
from mixcon.serving.runtime import session

pytestmark = pytest.mark.usefixtures("own_state")
Z = random_z(1)
X = np.zeros((1, 1, 28, 28))


@pytest.fixture
def newer(plain_export, keys, trust, tmp_path):
    """A copy of the export whose contract says something else, and whose head may be another."""

    def make(sequence, head=None, **changes):
        folder = tmp_path / f"{sequence}{changes.get('name', '')}"
        shutil.copytree(plain_export.folder, folder)
        if head:
            shutil.copy(head.folder / "cloud" / "head.onnx", folder / "cloud" / "head.onnx")
            changes["head_sha256"] = head.contract.head_sha256
        changes = {"sequence": sequence, "version": str(sequence), **changes}
        contract = plain_export.contract.model_copy(update=changes)
        for half in ("cloud", "edge"):
            contract.write(folder / half, signing.private_key(keys))
        return folder

    return make


def logits(url, path="/v2/models/digits"):
    answer = httpx2.post(f"{url}{path}/infer", json=as_json(Z)).json()
    return answer["model_version"], answer["outputs"][0]["data"]


def expected(export):
    head = session((export.folder / "cloud" / "head.onnx").read_bytes())
    return head.run(None, {"z": Z})[0].ravel()


def test_each_version_and_model_answers_for_itself(newer, plain_export, noisy_export, trust):
    folders = [newer(1), newer(2, noisy_export), newer(5, noisy_export, name="other")]
    with serving([folder / "cloud" for folder in folders], trust) as url:
        for path, version, export in (
            ("/v2/models/digits", "1", plain_export),
            ("/v2/models/digits/versions/1", "1", plain_export),
            ("/v2/models/digits/versions/2", "2", noisy_export),
            ("/v2/models/other", "5", noisy_export),
        ):
            found, data = logits(url, path)
            assert found == version
            np.testing.assert_allclose(data, expected(export), atol=1e-4)
        assert httpx2.get(f"{url}/v2/models/digits").json()["versions"] == ["1", "2"]
        assert httpx2.get(f"{url}/v2/models/other/versions/1").status_code == 404


def test_a_device_finds_its_own_version_beside_another(
    newer, noisy_export, trust, tmp_path, monkeypatch
):
    old, new = newer(1), newer(2, noisy_export)
    with serving([old / "cloud", new / "cloud"], trust) as url:
        for folder in (old, new):
            with EdgeClient(folder / "edge", url, trust=trust) as edge:
                assert len(edge.infer(X).labels) == 1
                assert edge.identified
    monkeypatch.setenv("MIXCON_STATE", str(tmp_path / "other"))  # of a server without the new one
    with (
        serving(old / "cloud", trust) as url,
        EdgeClient(new / "edge", url, trust=trust) as edge,
        pytest.raises(ContractError, match="but it serves"),
    ):
        edge.check()


def test_a_canary_gets_its_share_and_is_named(newer, noisy_export, trust):
    """Devices of the first contract are answered by both; who asks for a version gets that."""
    old, new = newer(1), newer(2, noisy_export)
    lines = []
    cloud = [old / "cloud", new / "cloud"]
    with serving(cloud, trust, canary=0.5, log_line=lines.append) as url:
        with httpx2.Client() as client:
            found = Counter(
                client.post(f"{url}/v2/models/digits/infer", json=as_json(Z)).json()[
                    "model_version"
                ]
                for _ in range(100)
            )
        with EdgeClient(old / "edge", url, trust=trust) as edge:
            for _ in range(20):
                assert len(edge.infer(X).labels) == 1
        assert {logits(url, "/v2/models/digits/versions/1")[0] for _ in range(20)} == {"1"}
        shown = httpx2.get(f"{url}/metrics").text
    assert set(found) == {"1", "2"}
    assert min(found.values()) > 20  # one run in 10^9 is further off
    for version in "12":
        labels = f'model="digits",protocol="http",status="200",version="{version}"'
        assert f"mixcon_requests_total{{{labels}}}" in shown
    logged = Counter(json.loads(line).get("version") for line in lines if "infer" in line)
    assert set(logged) == {"1", "2"}


def test_a_canary_that_devices_could_not_use_is_refused(newer, trust):
    other = newer(2, encoder_sha256="0" * 64)
    folders = [newer(1) / "cloud", other / "cloud"]
    with pytest.raises(ConfigError, match="differ: encoder_sha256"):
        made(folders, trust, canary=0.1)
    made(folders, trust)
    with pytest.raises(ConfigError, match="expected a newer export beside"):
        made(folders[0], trust, canary=0.1)


def test_versions_have_to_be_told_apart(newer, trust):
    one, two = newer(1) / "cloud", newer(2) / "cloud"
    with pytest.raises(ConfigError, match="name the older one first"):
        made([two, one], trust)
    with pytest.raises(ConfigError, match="once, but got 1 twice"):
        made([one, newer(3, version="1") / "cloud"], trust)
    assert [c.sequence for c in made([one, one, two], trust).contracts] == [1, 2]


def test_what_stands_beside_neither_moves_the_first_on_nor_goes_back(newer, trust):
    one, two, three, four = (newer(i) / "cloud" for i in (1, 2, 3, 4))
    made([one, three], trust)
    made([one, three], trust)  # a restart
    with pytest.raises(ContractError, match="expected contract 3 of 'digits' or a newer"):
        made([one, two], trust)
    made(three, trust)  # it takes over
    with pytest.raises(ContractError, match="expected contract 3 of 'digits' or a newer"):
        made([one, four], trust)
    assert read_half(three, "head", trust).contract.sequence == 3
