"""mixcon sweep and mixcon tune as a user runs them."""

import json

import pytest
from tests.commands import run_command

pytestmark = pytest.mark.smoke

QUICK = ["--data", "breast_cancer", "--network", "mlp", "--epochs", "10", "--lr", "0.005",
         "--schedule", "constant", "--batch-size", "16", "--victims", "3",
         "--attack", "rmle-paper-vector", "--accelerator", "cpu"]  # fmt: skip


def run(*words, folder):
    return run_command(*words, cwd=folder, timeout=600)


def test_sweep_then_tune_then_train(tmp_path):
    space = ["--defense", "mixcon(weight=[0.01, 0.1], beta=[1e-2, 1e-4])"]
    done = run("sweep", *space, *QUICK, "--out", "s", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["chosen"] in outcome["front"]
    page = (tmp_path / "s" / "report.html").read_text(encoding="utf-8")
    assert "Over λ and β: mixcon" in page
    assert "data:image/png;base64," in page
    assert 'src="http' not in page
    assert (tmp_path / "s" / "audit" / "report.html").is_file()
    record = json.loads((tmp_path / "s" / "report.json").read_text())
    assert len(record["trials"]) == 5
    assert 0 < record["hypervolume"] <= 1

    done = run("tune", "--min-accuracy", "0.2", "--seeds", "2", "--out", "s", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "The best trial with an accuracy of at least 0.2 is " in done.stderr
    assert "; with 2 seeds accuracy " in done.stderr
    kept = {p.name for p in (tmp_path / "s" / "trials").iterdir()}
    assert len(kept) == 5  # chosen among the trials of the sweep, none trained anew
    done = run("train", "--config", "s/chosen.toml", "--out", "t", folder=tmp_path)
    assert done.returncode == 0, done.stderr

    done = run("tune", "--max-bits", "1", "--out", "s", "--json", folder=tmp_path)
    assert done.returncode == 1  # for nothing is proved
    assert json.loads(done.stdout)["chosen"] is None
    assert "Nothing was chosen" in done.stderr
    assert not (tmp_path / "s" / "chosen.toml").exists()  # of an earlier limit


def test_help_teaches(tmp_path):
    for verb in ("sweep", "tune"):
        done = run(verb, "--help", folder=tmp_path)
        assert done.returncode == 0
        assert "Example: mixcon" in done.stdout
        assert "default: 8" in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sweep"], "expected --data"),
        (["tune", "--data", "digits"], "expected --max-excess, --min-accuracy or --max-bits"),
        (["sweep", "--data", "minst"], "did you mean 'mnist'"),
        (["sweep", "--data", "digits", "--defense", "mixcon(weight=1..x)"], "a range such as"),
        (["sweep", "--data", "digits", "--grid", "paper", "--cut", "pool1"], "but got more"),
        (["sweep", "--data", "digits", "--sampler", "annealing"], "'annealing'"),
        (["sweep", "--data", "digits", "--storage", "oracle://x"], "--storage"),
        (["sweep", "--data", "digits", "--storage", "study.db"], "a URL or a file *.log"),
        (["sweep", "--data", "digits", "--storage", "nowhere/x.log"], "folder that exists"),
        (["tune", "--data", "digits", "--max-excess", "2"], "max_excess"),
    ],
)
def test_bad_input_is_one_message_and_code_2(tmp_path, words, message):
    done = run(*words, folder=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "error: " in done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("sweeps/*/trials"))
