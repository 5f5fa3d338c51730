"""A day's bits of each user: counted before they are sent, remembered, refused past the limit."""

import datetime
import json
import shutil

import numpy as np
import pytest
from serving_parts import serving

from mixcon.errors import BudgetError, ConfigError, ContractError
from mixcon.serving import EdgeClient, signing
from mixcon.serving.bit_budget import AnswerCache, BitBudget
from mixcon.serving.contract import AuditSummary

pytestmark = pytest.mark.usefixtures("own_state")

BITS = 8.0
DAY = datetime.date(2026, 1, 1)
AUDIT = AuditSummary(
    attacks=("decoder",),
    victims=50,
    metric="ssim",
    leakage=0.4,
    floor=0.4,
    excess=0.0,
    accuracy=0.9,
    report_sha256="0" * 64,
    maximal_leakage=BITS,
)


@pytest.fixture
def contract(noisy_export):
    return noisy_export.contract.model_copy(update={"audit": AUDIT})


@pytest.fixture
def key(keys):
    return signing.private_key(keys).public_key()


@pytest.fixture
def budget(contract, key):
    def make(limit=3 * BITS, day=DAY):
        return BitBudget(contract, key, limit, lambda: day)

    return make


def test_a_user_s_bits_add_up_over_processes_and_are_refused_past_the_limit(budget):
    budget().spend(2, "ada")
    budget().spend(1, "ada")
    with pytest.raises(BudgetError, match="24 were sent today and 1 more inputs would tell 8"):
        budget().spend(1, "ada")
    budget().spend(3, "bob")


def test_what_is_refused_is_not_counted(budget):
    with pytest.raises(BudgetError, match="0 were sent"):
        budget().spend(4)
    budget().spend(3)


def test_the_next_day_begins_anew_and_forgets_the_last(budget, own_state):
    budget().spend(3, "ada")
    budget(day=DAY + datetime.timedelta(days=1)).spend(3, "bob")
    (kept,) = (own_state / "spent").glob("*.json")
    assert list(json.loads(kept.read_text())["bits"].values()) == [3 * BITS]
    assert "bob" not in kept.read_text()


def test_a_model_without_a_bound_cannot_be_counted(noisy_export, key):
    with pytest.raises(ContractError, match="of whose release a number of bits is proved"):
        BitBudget(noisy_export.contract, key, 100)


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf")])
def test_limits_are_finite_and_above_zero(contract, key, limit):
    with pytest.raises(ConfigError, match="bits above 0"):
        BitBudget(contract, key, limit)


def test_an_input_is_asked_once():
    asked = []

    def ask(x):
        asked.append(x)
        return np.random.default_rng(len(asked)).normal(size=(len(x), 3)).astype(np.float32)

    cache = AnswerCache()
    x = np.arange(4, dtype=np.float32).reshape(4, 1)
    first = cache.answer(x[[0, 1, 0]], ask)
    again = cache.answer(x[[1, 2, 0]], ask)
    np.testing.assert_array_equal(first[0], first[2])
    np.testing.assert_array_equal(again[[2, 0]], first[[0, 1]])
    assert [len(x) for x in asked] == [2, 1]


def test_a_device_counts_over_a_real_wire(noisy_export, contract, keys, trust, tmp_path):
    folder = shutil.copytree(noisy_export.folder, tmp_path / "export")
    for half in ("cloud", "edge"):
        contract.write(folder / half, signing.private_key(keys))
    x = np.random.default_rng(0).integers(0, 256, (4, 1, 28, 28), np.uint8)
    with (
        serving(folder / "cloud", trust) as url,
        EdgeClient(folder / "edge", url, trust=trust, max_bits_per_day=3 * BITS) as client,
    ):
        first = client.infer(x[:3], "ada")
        sent = client.bytes_sent
        again = client.infer(x[[2, 0]], "ada")
        assert client.bytes_sent == sent  # noise is not drawn again
        np.testing.assert_array_equal(again.probabilities, first.probabilities[[2, 0]])
        with pytest.raises(BudgetError):
            client.infer(x, "ada")
        assert client.bytes_sent == sent
        assert len(client.infer(x[3:], "bob").labels) == 1
        assert client.infer(x[:0]).labels == ()
