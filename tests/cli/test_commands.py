"""Every verb as a user runs it: the real command, real data, real exit codes."""

import json
import re
from statistics import fmean

import pytest
from tests.commands import run_command

from mixcon.training import RunFolder

pytestmark = pytest.mark.smoke


def run(*words, folder):
    return run_command(*words, cwd=folder, timeout=600)


def test_help_teaches(tmp_path):
    shown = run(folder=tmp_path).stdout
    assert all(verb in shown for verb in ("demo", "train", "audit"))
    for verb in ("demo", "train", "audit"):
        done = run(verb, "--help", folder=tmp_path)
        assert done.returncode == 0
        assert verb == "demo" or re.search(r"Examples?:\s+mixcon", done.stdout)


def test_demo(tmp_path):
    done = run("demo", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    page = tmp_path / "mixcon-demo" / "report" / "report.html"
    assert str(page.relative_to(tmp_path)) in done.stderr
    assert "No verdict on code" in page.read_text(encoding="utf-8")  # of so short an audit
    assert "mixcon audit mixcon-demo/vanilla " in done.stderr
    report = json.loads((page.parent / "report.json").read_text())
    vanilla, mixcon, code = report["models"]
    assert min(model["accuracy"] for model in report["models"]) > 0.95
    assert mixcon["after"]["mean"] < 0.7 * vanilla["after"]["mean"]
    best = {m["name"]: max(fmean(a["leakage"]["ssim"]) for a in m["attacks"])
            for m in (vanilla, mixcon, code)}  # fmt: skip
    floor = fmean(code["floors"]["class-mean"]["ssim"])
    assert min(best[vanilla["name"]], best[mixcon["name"]]) > 0.9
    assert best[code["name"]] < floor + 0.1  # the defense that holds


def test_train_then_audit(tmp_path):
    short = ["--data", "digits", "--epochs", 1]
    assert run("train", *short, "--out", "v", folder=tmp_path).returncode == 0
    done = run("train", *short, "--defense", "mixcon(beta=1e-3) + normalize", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "runs/digits-lenet5-mixcon+normalize" in done.stderr
    again = RunFolder(tmp_path / "runs" / "digits-lenet5-mixcon+normalize")
    assert str(again.config.defense) == "mixcon(beta=0.001) + normalize"
    words = ["audit", "v", again.path, "--victims", 3, "--attack", "rmle-paper", "--quick"]
    done = run(*words, "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert [found["model"] for found in outcome["models"]] == ["vanilla", str(again.config.defense)]
    assert outcome["models"][0]["evidence"]["victims"] == 3
    assert outcome["report"] == str(again.path / "audit" / "report.json")
    done = run(*words, "--fail-above", "excess=-9", folder=tmp_path)
    assert done.returncode == 1
    assert "which is above -9" in done.stderr
    done = run(*words, "--fail-above", "excess=1", folder=tmp_path)  # within, but no proof of it
    assert done.returncode == 1
    assert "warning: --fail-above will fail" in done.stderr
    for model in ("vanilla", str(again.config.defense)):
        assert f"--fail-above excess=1 fails for {model}: " in done.stderr
    assert "it attacked 3 inputs, and 50 are the least" in done.stderr
    assert "left out rmle, gauss-newton" in done.stderr
    done = run(*words, "--fail-above", "bits=64", folder=tmp_path)
    assert done.returncode == 1
    assert "--fail-above bits=64 fails for vanilla: nothing is proved" in done.stderr
    assert (again.path / "audit" / "report.html").is_file()
    assert re.search(r"\| vanilla \| .* \|", done.stderr)


def test_a_gate_on_what_is_proved(tmp_path):
    out = "runs/[red]code"  # a name that a console could take for a color
    done = run("train", "--data", "digits", "--epochs", 1, "--defense", "code(bits=8)",
               "--out", out, folder=tmp_path)  # fmt: skip
    assert f"run in {out}" in done.stderr
    words = ["audit", out, "--victims", 2, "--attack", "rmle-paper", "--quick"]
    done = run(*words, "--fail-above", "bits=8", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"Report: {out}/audit/report.html" in done.stderr
    done = run(*words, "--fail-above", "bits=7.5", "--fail-above", "excess=1", folder=tmp_path)
    assert done.returncode == 1
    assert "bits=7.5 fails for code(bits=8): its release is proved to tell" in done.stderr
    assert "excess=1 fails for code(bits=8): " in done.stderr


def test_runs_on_other_samples_are_not_audited_together(tmp_path):
    for seed in (0, 1):
        words = ["--data", "synthetic", "--network", "mlp", "--epochs", 1, "--seed", seed]
        assert run("train", *words, "--out", f"s{seed}", folder=tmp_path).returncode == 0
    done = run("audit", "s0", "s1", folder=tmp_path)
    assert done.returncode == 2
    assert "drawn by the seed of the run" in " ".join(done.stderr.split())


def test_adapt(tmp_path):
    run("train", "--data", "digits", "--epochs", 1, "--out", "v", folder=tmp_path)
    done = run("adapt", "v", "--epochs", 2, "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["config"]["frozen"]
    assert f"{outcome['last']['test_accuracy']:.1%}, undefended" in done.stderr
    adapted = RunFolder(tmp_path / "runs" / "digits-lenet5-code+unicon-adapted")
    assert adapted.config.frozen
    assert ", undefended " in done.stderr
    assert f"mixcon audit v {adapted.path.relative_to(tmp_path)}" in done.stderr
    for words in ([], ["v", "--data", "digits"]):
        assert run("adapt", *words, folder=tmp_path).returncode == 2


def test_audit_over_seeds(tmp_path):
    short = ["--data", "digits", "--epochs", 1]
    for seed in (0, 1):
        assert (
            run("train", *short, "--seed", seed, "--out", f"s{seed}", folder=tmp_path).returncode
            == 0
        )
    words = ["--victims", 3, "--attack", "rmle-paper", "--quick", "--out", "report"]
    done = run("audit", "s0", "s1", *words, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"\| vanilla \| 2 \| [\d.]+ ± [\d.]+ \[", done.stderr)
    models = json.loads((tmp_path / "report" / "report.json").read_text())["models"]
    assert [model["name"] for model in models] == ["vanilla, seed 0", "vanilla, seed 1"]
    run("train", *short, "--seed", 2, "--lr", 0.02, "--out", "s2", folder=tmp_path)
    done = run("audit", "s0", "s2", *words, folder=tmp_path)
    assert done.returncode == 2
    assert "differ in nothing but their seed" in done.stderr
    assert "{'lr': 0.02}" in done.stderr
    run("train", *short, "--cut", "relu3", "--out", "later", folder=tmp_path)
    done = run("audit", "s0", "later", *words, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    models = json.loads((tmp_path / "report" / "report.json").read_text())["models"]
    assert [m["name"] for m in models] == ["vanilla, cut after pool2", "vanilla, cut after relu3"]


def test_a_network_at_chance_is_called_out(tmp_path):
    words = ["train", "--data", "digits", "--epochs", 1, "--lr", "1e-9", "--out", "run"]
    done = run(*words, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the network is at chance: it classifies" in done.stderr
    done = run("audit", "run", "--attack", "rmle-paper", "--budget", "0.01x", "--quick",
               "--victims", 60, "--fail-above", "excess=1", folder=tmp_path)  # fmt: skip
    assert done.returncode == 1
    assert "No verdict on vanilla: it classifies" in done.stderr
    assert "fails for vanilla: the model is at chance" in done.stderr


def test_train_from_a_file_equals_options(tmp_path):
    run("train", "--data", "digits", "--epochs", 1, "--lr", 0.05, "--out", "a", folder=tmp_path)
    done = run("train", "--config", "a/config.toml", "--out", "b", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    names = ("model.safetensors", "config.toml")
    assert all(
        (tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"], "expected --data"),
        (["train", "--data", "minst"], "did you mean 'mnist'"),
        (["train", "--data", "digits", "--defense", "mixcom"], "did you mean 'mixcon'"),
        (["train", "--data", "digits", "--defense", "mixcon(beta=-1)"], "beta >= 0"),
        (["train", "--data", "digits", "--cut", "pool9"], "'pool1'"),
        (["train", "--data", "digits", "--epochs", "-1"], "epochs: Input should be greater"),
        (["train", "--config", "none.toml"], "No such file"),
        (["train", "--config", "a.toml", "--lr", "1"], "either --config or settings"),
        (["audit", "nowhere"], "no config.toml"),
        (["audit", "nowhere", "--fail-above", "ssim"], "excess=NUMBER"),
        (["audit", "nowhere", "--fail-above", "bits=nan"], "bits=NUMBER"),
        (["audit", "nowhere", *2 * ["--fail-above", "bits=8"]], "but got two"),
    ],
)
def test_bad_input_is_one_line_and_code_2(tmp_path, words, message):
    done = run(*words, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
