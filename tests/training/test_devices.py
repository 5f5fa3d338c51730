"""Where models are put: what is asked for, or a clear word that it is not there."""

import pytest
import torch

from mixcon.errors import ConfigError
from mixcon.training import device_of


def test_auto_takes_cuda_where_it_is(monkeypatch):
    for there, device in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert device_of("auto") == device
        assert device_of("cpu") == "cpu"


def test_gpu_is_another_word_for_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_of("gpu") == device_of("cuda") == "cuda"


@pytest.mark.parametrize("name", ["cuda", "gpu"])
def test_what_is_not_there_is_said(name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=f"'{name}' on this machine, but there is none; try auto"):
        device_of(name)


def test_an_unknown_name_is_refused():
    with pytest.raises(ConfigError, match="auto, cpu, cuda or mps, but got 'tpu'"):
        device_of("tpu")
