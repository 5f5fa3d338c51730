"""Training configs: TOML there and back, every mistake named at once, older ones read right."""

import pytest
from pydantic import ValidationError

from mixcon.errors import ConfigError
from mixcon.training import TrainConfig, explain, read_config, recipe

OLD = """
data = "mnist"
network = "lenet5"
epochs = 20
batch_size = 64
lr = 0.1
momentum = 0.9
weight_decay = 0.0
milestones = {}
seed = 0
holdout = 0.0
precision = "32-true"

[[defense.losses]]
name = "mixcon"
weight = 1.0
beta = 0.0001
"""


def test_toml_comes_back_equal(tmp_path):
    config = TrainConfig(
        data="mnist",
        network="lenet5",
        cut="pool1",
        defense="mixcon(weight=0.1, beta=1e-4) + gaussian(sigma=0.05)",
        schedule="steps",
        milestones=(3, 5),
    )
    path = tmp_path / "run.toml"
    path.write_text(config.to_toml())
    assert read_config(path) == config


@pytest.mark.parametrize(("milestones", "schedule"), [("[]", "constant"), ("[3]", "steps")])
def test_a_config_from_before_there_was_a_choice_is_sgd(tmp_path, milestones, schedule):
    path = tmp_path / "run.toml"
    path.write_text(OLD.format(milestones))
    config = read_config(path)
    assert (config.optimizer, config.schedule, config.lr) == ("sgd", schedule, 0.1)
    assert str(config.defense) == "mixcon(weight=1, beta=0.0001)"


def test_the_rate_follows_the_optimizer():
    named = {"data": "digits", "network": "lenet5"}
    assert TrainConfig(**named).lr == 2e-3
    assert TrainConfig(**named, optimizer="sgd").lr == 0.01
    assert TrainConfig(**named, optimizer="sgd", lr=0.5).lr == 0.5


def test_the_papers_recipe():
    config = TrainConfig(data="mnist", network="lenet5", **recipe("paper"))
    assert (config.optimizer, config.lr, config.epochs) == ("sgd", 0.01, 20)
    with pytest.raises(ConfigError, match="did you mean 'paper'"):
        recipe("papers")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        ("data = ", "expected TOML"),
        ('data = "digits"\nnetwork = "mlp"\nepoch = 3', "epoch: Extra inputs"),
        ('data = "digits"\nepochs = -1', "network: Field required(.|\n)*epochs: Input should be"),
        ('data = "digits"\nnetwork = "mlp"\nmomentum = 0.9', "momentum is a setting of sgd"),
        ('data = "digits"\nnetwork = "mlp"\nmilestones = [3]', "go together"),
        ('data = "digits"\nnetwork = "mlp"\ndefense = "a b"', "could not read"),
    ],
)
def test_mistakes_in_the_file(tmp_path, text, message):
    path = tmp_path / "run.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        read_config(path)
    assert str(path) in str(caught.value)


def test_explain_names_the_value():
    with pytest.raises(ValidationError) as caught:
        TrainConfig(data="digits", network="lenet5", lr=-1)
    assert explain(caught.value) == "lr: Input should be greater than 0, but got -1"


def test_a_folder_means_the_same_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = TrainConfig(data="folder:photos/all", network="lenet5", resize=32)
    (tmp_path / "run.toml").write_text(config.to_toml())
    monkeypatch.chdir("/")
    again = read_config(tmp_path / "run.toml")
    assert again == config
    assert again.data == f"folder:{tmp_path}/photos/all"
    assert again.data_title == "folder:all@32"  # what reports and servers are told


def test_resize_is_a_side_in_pixels():
    with pytest.raises(ValidationError, match="resize"):
        TrainConfig(data="digits", network="lenet5", resize=0)
