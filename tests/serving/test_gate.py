"""The gate of server and device: which audits open it, and what an earlier contract is worth."""

import json
import math
import shutil

import pytest
from serving_parts import serving

from mixcon.errors import ConfigError, ContractError
from mixcon.serving import AuditSummary, CloudService, EdgeClient, read_contract, signing
from mixcon.serving.contract import sha256
from mixcon.serving.gate import reservations

FULL = {
    "report_sha256": "0" * 64, "attacks": ("rmle",), "victims": 100, "metric": "ssim",
    "leakage": 0.4, "floor": 0.2, "excess": 0.25, "accuracy": 0.97, "interval": (0.2, 0.29),
    "thorough": True, "budget": 1.0, "missing": (), "chance": 0.11, "guess": "class-ssim",
}  # fmt: skip


@pytest.fixture
def audited(plain_export, keys, tmp_path):
    """A copy of the export whose contract carries this audit, signed anew."""

    def make(**changes):
        folder = shutil.copytree(plain_export.folder, tmp_path / "copy", dirs_exist_ok=True)
        audit = AuditSummary(**{**FULL, **changes})
        contract = plain_export.contract.model_copy(update={"audit": audit})
        for half in ("cloud", "edge"):
            contract.write(folder / half, signing.private_key(keys))
        return folder

    return make


@pytest.fixture(params=["server", "device"])
def gate(request, trust):
    def enter(folder, max_excess=0.3):
        if request.param == "server":
            CloudService(folder / "cloud", trust=trust, max_excess=max_excess)
        else:
            url = "http://127.0.0.1:9"
            EdgeClient(folder / "edge", url, trust=trust, max_excess=max_excess).close()

    return enter


def test_a_full_audit_opens_the_gate(audited, gate):
    gate(audited())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"interval": (0.2, 0.31)}, "may be 0.310, the upper end"),
        ({"excess": -0.33, "interval": (-0.4, -0.2)}, "its attacks failed"),
        ({"victims": 10}, "attacked 10 inputs"),
        ({"thorough": False}, "--quick"),
        ({"budget": 0.1}, "0.1 of their steps"),
        ({"missing": ("decoder",)}, "left out decoder"),
        ({"accuracy": 0.1}, "at chance"),
        ({"excess": math.nan}, "not finite"),
        ({"interval": (math.nan, math.nan)}, "may be nan"),
    ],
)
def test_an_audit_that_says_too_little_does_not(audited, gate, changes, reason):
    with pytest.raises(ContractError, match=reason):
        gate(audited(**changes))


def test_a_limit_of_nan_is_refused(audited, gate):
    with pytest.raises(ConfigError, match="finite number"):
        gate(audited(), math.nan)


def ask_for_bits(folder, trust, limit):
    EdgeClient(folder / "edge", "http://127.0.0.1:9", trust=trust, max_bits=limit).close()


def test_a_device_may_ask_for_proved_bits(audited, trust):
    ask_for_bits(audited(maximal_leakage=7.9), trust, 8)
    for bits in (8.1, None, math.nan):
        with pytest.raises(ContractError, match="proved to tell at most 8 bits"):
            ask_for_bits(audited(maximal_leakage=bits), trust, 8)


def test_bits_without_an_audit_or_a_number_are_refused(plain_export, trust):
    with pytest.raises(ContractError, match="nobody audited it"):
        ask_for_bits(plain_export.folder, trust, 8)
    with pytest.raises(ConfigError, match="finite number of bits"):
        ask_for_bits(plain_export.folder, trust, math.nan)


def test_without_an_audit_it_stays_shut(plain_export, gate):
    with pytest.raises(ContractError, match="nobody knows what it leaks"):
        gate(plain_export.folder)


def test_what_is_not_known_is_said(audited, plain_export, trust):
    def said(folder):
        return reservations(read_contract(folder / "edge", "encoder", trust))

    assert said(plain_export.folder) == "nobody audited this model"
    assert "is no proof: it chose no settings" in said(audited(thorough=False))
    assert said(audited()) is None


OLD_FIELDS = ("sequence", "expires")
NEW = ("interval", "thorough", "budget", "missing", "chance")


def test_a_contract_of_version_1_is_read_as_it_was_signed_and_is_weak(
    audited, keys, trust, own_state
):
    folder = audited()
    content = json.loads((folder / "cloud" / "contract.json").read_text())
    kept = {name: value for name, value in content["audit"].items() if name not in NEW}
    for field in OLD_FIELDS:
        del content[field]
    old = json.dumps({**content, "schema_version": 1, "audit": kept}, indent=2).encode()
    for half in ("cloud", "edge"):
        (folder / half / "contract.json").write_bytes(old)
        (folder / half / "contract.sig").write_text(signing.sign(signing.private_key(keys), old))
    contract = read_contract(folder / "edge", "encoder", trust)
    assert contract.sha256 == sha256(old)  # what another version of mixcon names as well
    assert "its contract is old (schema version 1)" in reservations(contract)
    with pytest.raises(ContractError, match="does not say how hard it tried"):
        CloudService(folder / "cloud", trust=trust)
    with (
        serving(folder / "cloud", trust) as url,
        EdgeClient(folder / "edge", url, trust=trust) as client,
    ):
        client.check()
        assert client.identified
