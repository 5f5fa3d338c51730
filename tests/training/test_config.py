"""Training configs: TOML there and back, every mistake named at once."""

import pytest
from pydantic import ValidationError

from mixcon.defenses import named_defense
from mixcon.errors import ConfigError
from mixcon.training import TrainConfig, explain, read_config


def test_toml_comes_back_equal(tmp_path):
    config = TrainConfig(
        data="mnist",
        network="lenet5",
        cut="pool1",
        defense=named_defense("mixcon+gaussian", lam=0.1, beta=1e-4, sigma=0.05),
        milestones=(3, 5),
    )
    path = tmp_path / "run.toml"
    path.write_text(config.to_toml())
    assert read_config(path) == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        ("data = ", "expected TOML"),
        ('data = "digits"\nnetwork = "mlp"\nepoch = 3', "epoch: Extra inputs"),
        ('data = "digits"\nepochs = 0', "network: Field required(.|\n)*epochs: Input should be"),
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
