"""Contracts age: newer ones replace older ones, some expire; what was hashed is what is used."""

import datetime
import shutil

import httpx2
import numpy as np
import pytest
from serving_parts import INFER, as_json, random_z, serving

from mixcon.errors import ContractError
from mixcon.serving import CloudService, EdgeClient, export_reader, signing
from mixcon.serving.sequence import number_of, refuse_older

NOWHERE = "http://127.0.0.1:9"
LATER = datetime.datetime(2999, 1, 1, tzinfo=datetime.UTC)


pytestmark = pytest.mark.usefixtures("own_state")


@pytest.fixture
def signed(plain_export, keys, tmp_path):
    """A copy of the export whose contract says something else, signed anew."""

    def make(**changes):
        folder = tmp_path / "-".join(f"{k}{v}" for k, v in changes.items()).replace(":", "")[:60]
        shutil.copytree(plain_export.folder, folder, dirs_exist_ok=True)
        for half in ("cloud", "edge"):
            contract = plain_export.contract.model_copy(update=changes)
            contract.write(folder / half, signing.private_key(keys))
        return folder

    return make


@pytest.fixture(params=["server", "device"])
def use(request, trust):
    def enter(folder):
        if request.param == "server":
            CloudService(folder / "cloud", trust=trust, unaudited=True)
        else:
            EdgeClient(folder / "edge", NOWHERE, trust=trust).close()

    return enter


def test_who_has_used_a_newer_one_refuses_the_older(signed, use):
    use(signed(sequence=1))
    use(signed(sequence=3))
    use(signed(sequence=3))
    with pytest.raises(ContractError, match="expected contract 3 of 'digits' or a newer"):
        use(signed(sequence=2))
    with pytest.raises(ContractError, match="but got 0"):
        use(signed(sequence=0))
    use(signed(sequence=1, name="other"))
    use(signed(sequence=4))


def test_a_contract_that_was_refused_is_not_remembered(signed, trust):
    with pytest.raises(ContractError, match="--unaudited"):
        CloudService(signed(sequence=9) / "cloud", trust=trust)
    EdgeClient(signed(sequence=1) / "edge", NOWHERE, trust=trust).close()


def test_another_key_counts_for_itself(plain_export, tmp_path):
    first, second = (signing.private_key(tmp_path / name).public_key() for name in "ab")
    newer = plain_export.contract.model_copy(update={"sequence": 5})
    refuse_older(newer, first)
    refuse_older(plain_export.contract, second)
    with pytest.raises(ContractError, match="or a newer one"):
        refuse_older(plain_export.contract, first)


def test_a_state_that_cannot_be_used_is_one_clear_error(signed, use, own_state, monkeypatch):
    use(signed(sequence=1))
    (kept,) = (own_state / "used").glob("*.json")
    kept.write_text('{"sequence": "1"}')
    with pytest.raises(ContractError, match="the file is damaged"):
        use(signed(sequence=1))
    monkeypatch.setenv("MIXCON_STATE", str(kept))
    with pytest.raises(ContractError, match="MIXCON_STATE"):
        use(signed(sequence=1))


def test_exports_are_numbered_and_the_same_one_keeps_its_number(plain_export, keys):
    key = signing.private_key(keys).public_key()
    first = plain_export.contract
    other = first.model_copy(update={"head_sha256": "0" * 64})
    expiring = other.model_copy(update={"expires": LATER, "sequence": 7})
    assert [number_of(c, key) for c in (first, first, other, expiring, first)] == [1, 1, 2, 2, 3]
    assert number_of(first.model_copy(update={"name": "other"}), key) == 1


def test_an_expired_contract_is_not_used(signed, use):
    use(signed(expires=LATER))
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1)
    with pytest.raises(ContractError, match=r"expired at \d{4}-"):
        use(signed(expires=past))


def test_a_contract_that_expires_in_use_is_used_no_more(signed, trust, monkeypatch):
    folder = signed(expires=LATER)

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return LATER

    x = np.zeros((1, 1, 28, 28))
    with (
        serving(folder / "cloud", trust) as url,
        EdgeClient(folder / "edge", url, trust=trust) as edge,
    ):
        assert len(edge.infer(x).labels) == 1
        monkeypatch.setattr("mixcon.serving.contract.datetime", Clock)
        answer = httpx2.post(url + INFER, json=as_json(random_z(1)))
        assert answer.status_code == 503
        assert "expired at 2999-01-01" in answer.json()["error"]
        assert httpx2.get(url + "/v2/health/ready").status_code == 503
        assert httpx2.get(url + "/v2/health/live").status_code == 200
        with pytest.raises(ContractError, match="expired"):
            edge.infer(x)


def test_what_was_hashed_is_what_is_loaded(signed, trust, monkeypatch):
    """Somebody exchanges the files right after they were checked."""
    folder, read = signed(sequence=1), export_reader._read

    def read_and_exchange(where, name):
        content = read(where, name)
        (where / name).write_bytes(b"something else")
        return content

    monkeypatch.setattr(export_reader, "_read", read_and_exchange)
    with (
        serving(folder / "cloud", trust) as url,
        EdgeClient(folder / "edge", url, trust=trust) as edge,
    ):
        assert len(edge.infer(np.zeros((1, 1, 28, 28))).labels) == 1


def test_sequence_and_expiry_are_in_what_is_signed(signed, trust):
    contract = export_reader.read_contract(
        signed(sequence=5, expires=LATER) / "edge", "encoder", trust
    )
    assert (contract.sequence, contract.expires) == (5, LATER)
    assert not contract.is_old
