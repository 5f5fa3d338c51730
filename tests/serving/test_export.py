"""The two folders: what is in them, what is not, and that they compute what PyTorch computes."""

import errno
import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
import tritonclient
from google.protobuf import text_format
from torch import nn

from mixcon import models
from mixcon.channels import (
    CHANNELS,
    Dropout,
    GaussianNoise,
    LaplaceNoise,
    Normalize,
    Quantize,
    compose,
)
from mixcon.defenses import DefenseConfig
from mixcon.errors import ConfigError, ContractError
from mixcon.serving import export, read_contract, signing
from mixcon.serving.runtime import session
from mixcon.serving.to_onnx import EdgeHalf, edge_onnx, head_onnx
from mixcon.split import Sizes

NETWORKS = {"mlp": (10,), "lenet5": (1, 28, 28), "vgg16": (3, 32, 32)}


def run(content, **inputs):
    return session(content).run(None, {name: t.numpy() for name, t in inputs.items()})[0]


@pytest.mark.parametrize("network", NETWORKS)
def test_onnx_runtime_agrees_with_pytorch(network):
    shape = NETWORKS[network]
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        model = models.build(network, shape, 10, channel=Normalize()).eval()
        x = torch.rand(5, *shape)
        z = model.release(x)
        half = EdgeHalf(model).eval()
        found = run(edge_onnx(half, x[:2], z[:2]), x=x)
        logits = run(head_onnx(model.head, z[:2]), z=z)
        assert np.abs(found - z.numpy()).max() < 1e-5
        assert np.abs(logits - model.head(z).numpy()).max() < 1e-5


def settings(name):
    return {"gaussian": (0.1,), "laplace": (0.1,), "dropout": (0.3,), "quantize": (6,)}.get(
        name, ()
    )


LEARNED = {"project", "code", "channels"}


@pytest.mark.parametrize("name", [n for n in CHANNELS if n not in LEARNED])
def test_every_channel_is_exported(name):
    """With the same noise, ONNX Runtime and the channel itself give the same."""
    channel = CHANNELS[name](*settings(name))
    x = torch.rand(300, 20) - 0.3
    channel.train()(x)
    half = EdgeHalf(models.SplitModel(nn.Identity(), nn.Linear(20, 2), channel)).eval()
    noise = {f"noise_{i}": torch.rand(300, 20) for i in range(len(half.distributions))}
    found = run(edge_onnx(half, x[:2], x[:2]), x=x, **noise)
    expected = {
        "gaussian": lambda n: x + 0.1 * n,
        "laplace": lambda n: x + 0.1 * n,
        "dropout": lambda n: torch.where(n < 0.3, 0.0, x),
    }.get(name, lambda: channel.eval()(x))(*noise.values())
    assert np.abs(found - expected.numpy()).max() < 1e-5


@pytest.mark.parametrize(
    "text",
    [
        "project(n=6)",
        "code(bits=8)",
        "code(bits=8, flip=0.1)",
        "project(n=6) + normalize + gaussian(sigma=0.1)",
        "gaussian(sigma=0.1) + project(n=6)",
        "shredder",
        "disco",
        "vib(n=4)",
    ],
)
def test_learned_channels_are_exported(text):
    """Their weights go into the graph, and what they draw has the shape that they say."""
    torch.manual_seed(0)
    defense = DefenseConfig.parse(text).build(Sizes((20,), (20,), 2))
    x = torch.rand(300, 20) - 0.3
    channel = defense.channel.train()
    channel(x)  # batch normalization has to see numbers first
    head = defense.behind(nn.Linear(20, 2))
    half = EdgeHalf(models.SplitModel(nn.Identity(), head, channel)).eval()
    drawn = [torch.rand(shape) for shape in half.noise_shapes(x)]
    with torch.no_grad():
        z = half(x, *drawn)
    noise = {f"noise_{i}": n for i, n in enumerate(drawn)}
    found = run(edge_onnx(half, x[:2], z[:2]), x=x, **noise)
    assert np.abs(found - z.numpy()).max() < 1e-5


def test_random_channels_each_get_an_input_of_their_own():
    channel = compose(LaplaceNoise(0.1), compose(Dropout(0.5), Quantize(4)), GaussianNoise(1))
    half = EdgeHalf(models.SplitModel(nn.Identity(), nn.Linear(2, 2), channel))
    assert half.distributions == ("laplace", "uniform", "normal")


def test_an_unknown_random_channel_is_refused(digits, tmp_path):
    class Secret(nn.Module):
        def forward(self, z):
            return z + torch.rand_like(z)

    model = models.build("lenet5", (1, 28, 28), 10, channel=Secret())
    with pytest.raises(ConfigError, match="Secret gives two results"):
        export(model, digits.train.floats(slice(10)), tmp_path / "out", name="a",
               classes=digits.train.classes, kind="image", key=tmp_path / "k.pem")  # fmt: skip
    assert not (tmp_path / "out").exists()


def pieces(model):
    """Four neighboring weights of each row of each tensor of the encoder, as bytes."""
    for tensor in model.encoder.state_dict().values():
        rows = tensor.detach().float().reshape(-1).numpy().astype("<f4")
        for start in range(0, len(rows) - 3, 4):
            yield rows[start : start + 4].tobytes()


def test_the_cloud_gets_no_weight_of_the_encoder(plain, plain_export):
    cloud = [file for file in (plain_export.folder / "cloud").rglob("*") if file.is_file()]
    assert {"head.onnx", "model.onnx", "config.pbtxt", "contract.json"} <= {f.name for f in cloud}
    held = b"".join(file.read_bytes() for file in cloud)
    weights = list(pieces(plain))
    assert len(weights) > 500
    assert not any(piece in held for piece in weights)
    # The same search finds all of them where they are.
    encoder = (plain_export.folder / "edge" / "encoder.onnx").read_bytes()
    assert all(piece in encoder for piece in weights)


def test_no_path_or_source_line_is_exported(plain_export):
    for file in plain_export.folder.rglob("*.onnx"):
        model = onnx.load(file)
        onnx.checker.check_model(model, full_check=True)
        assert not any(node.metadata_props or node.doc_string for node in model.graph.node)
        assert b".py" not in file.read_bytes()


def test_exporting_again_gives_the_same_bytes(plain, digits, keys, plain_export, tmp_path):
    samples = digits.train.floats()
    again = export(plain, samples, tmp_path, name="digits", classes=digits.train.classes,
                   kind="image", key=keys, sequence=1)  # fmt: skip
    for file in plain_export.folder.rglob("*"):
        twin = again.folder / file.relative_to(plain_export.folder)
        assert file.is_dir() or file.read_bytes() == twin.read_bytes()


def test_other_files_are_not_overwritten(plain, digits, keys, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigError, match="other files"):
        export(plain, digits.train.floats(), tmp_path, name="a", classes=digits.train.classes,
               kind="image", key=keys)  # fmt: skip
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.fixture
def copy(plain_export, tmp_path):
    return shutil.copytree(plain_export.folder, tmp_path / "copy")


def test_the_contract_says_what_crosses(copy, trust):
    contract = read_contract(copy / "cloud", "head", trust)
    assert contract == read_contract(copy / "edge", "encoder", trust)
    assert contract.input.shape == (1, 28, 28)
    assert contract.representation.shape == (16, 5, 5)
    assert contract.low == 0.0 < contract.high
    assert contract.scales["int8"].step < contract.scales["int4"].step
    assert contract.wire == "float32"


def test_behind_a_quantizer_the_wire_loses_nothing(noisy, noisy_export):
    contract = noisy_export.contract
    assert contract.wire == "int8"
    assert contract.scales["int8"].step == pytest.approx(noisy.channel[2].scale.item())


def test_another_folder_of_the_export_is_told_from_the_right_one(copy, trust):
    for wrong in (copy, copy / "edge"):
        with pytest.raises(ContractError, match=f"cloud folder .* take {copy / 'cloud'}"):
            read_contract(wrong, "head", trust)
    with pytest.raises(ContractError, match=f"edge folder .* take {copy / 'edge'}"):
        read_contract(copy / "cloud", "encoder", trust)


@pytest.mark.parametrize("change", [b" ", b"x"])
def test_a_changed_contract_is_refused(copy, trust, change):
    path = copy / "cloud" / "contract.json"
    path.write_bytes(path.read_bytes() + change)
    with pytest.raises(ContractError, match="signature does not hold"):
        read_contract(copy / "cloud", "head", trust)


def test_a_changed_half_is_refused(copy, trust):
    path = copy / "edge" / "encoder.onnx"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(ContractError, match="another hash"):
        read_contract(copy / "edge", "encoder", trust)


def test_another_signer_is_refused(copy, tmp_path):
    signing.private_key(tmp_path / "mallory.pem")
    with pytest.raises(ContractError, match="signature does not hold"):
        read_contract(copy / "cloud", "head", tmp_path / "mallory.pub.pem")


@pytest.mark.parametrize(
    ("content", "message"), [(None, "there is none"), (b"junk", "expected an Ed25519 public key")]
)
def test_a_bad_key_is_one_clear_error(copy, tmp_path, content, message):
    if content:
        (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(ContractError, match=message):
        read_contract(copy / "cloud", "head", tmp_path / "key.pem")


def test_a_private_key_is_for_its_owner_alone(keys, plain_export):
    assert keys.stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in (plain_export.folder / "public-key.pem").read_bytes()


def test_the_repository_is_what_triton_reads(plain_export):
    folder = plain_export.folder / "cloud" / "model_repository" / "digits"
    config = (folder / "config.pbtxt").read_text()
    assert 'platform: "onnxruntime_onnx"' in config
    assert "dims: [ 16, 5, 5 ]" in config
    assert (folder / "1" / "model.onnx").read_bytes() == (
        plain_export.folder / "cloud" / "head.onnx"
    ).read_bytes()
    assert text_format.Parse(config, triton_model_config()).max_batch_size > 0


def triton_model_config():
    """An empty config of NVIDIA's own schema, whose package wants gRPC that we do not need."""
    path = Path(tritonclient.__file__).parent / "grpc" / "model_config_pb2.py"
    spec = importlib.util.spec_from_file_location("model_config_pb2", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ModelConfig()


def test_a_contract_of_another_schema_is_refused(copy, keys, trust):
    path = copy / "cloud" / "contract.json"
    content = json.dumps({**json.loads(path.read_bytes()), "schema_version": 99}).encode()
    path.write_bytes(content)
    path.with_suffix(".sig").write_text(signing.sign(signing.private_key(keys), content))
    with pytest.raises(ContractError, match="schema version 4, but got 99"):
        read_contract(copy / "cloud", "head", trust)


def exporting(model, out, samples, **changes):
    settings = {"name": "a", "classes": ["no", "maybe", "yes"], "kind": "vector"} | changes
    return export(model, samples, out / "out", key=out / "key.pem", **settings)


class Calling(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function
        self.linear = nn.Linear(4, 3)

    def forward(self, z):
        return self.function(self.linear, z)


def small(head=None, encoder=None):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return models.SplitModel(encoder or nn.Linear(6, 4), head or nn.Linear(4, 3))


VECTORS = torch.rand(20, 6, generator=torch.Generator().manual_seed(0))


def branching(linear, z):
    return linear(z) if z.sum() > 0 else linear(-z)


# What the message names, the model, its samples, and other settings.
USELESS = {
    "half": (r"float16 on cpu; export model\.float", small().half(), VECTORS.half().float(), {}),
    "double": (r"float64 on cpu; export model\.float", small().double(), VECTORS, {}),
    "float64 samples": ("got torch.float64; pass samples.float", small(), VECTORS.double(), {}),
    "int64 samples": ("got torch.int64; pass samples.float", small(encoder=nn.Embedding(9, 4)),
                      torch.randint(0, 9, (20, 6)), {}),
    "half z": ("a representation of one float32 tensor.* got torch.float16",
               small(encoder=Calling(lambda _, x: x[:, :4].half())), VECTORS, {}),
    "classes": ("2 class names, but got .20, 3.", small(), VECTORS, {"classes": ["no", "yes"]}),
    "argmax": ("logits of one float32 tensor.* got torch.int64",
               small(Calling(lambda linear, z: linear(z).argmax(1))), VECTORS, {}),
    "two outputs": ("got CutError: expected the head.* a tuple of 2; wrap it",
                    small(Calling(lambda linear, z: (linear(z), z))), VECTORS, {}),
    "four channels": ("1 .grayscale. or 3 .RGB. channels, but got .20, 4, 3, 3.",
                      small(encoder=nn.Sequential(nn.Flatten(), nn.Linear(36, 4))),
                      torch.rand(20, 4, 3, 3), {"kind": "image"}),
    "normalized images": (r"in \[0, 1\].* got -1 to",
                          small(encoder=nn.Sequential(nn.Flatten(), nn.Linear(9, 4))),
                          torch.linspace(-1, 1, 180).reshape(20, 1, 3, 3), {"kind": "image"}),
    "a fixed batch": ("got RuntimeError: shape .*batches of any size",
                      small(Calling(lambda linear, z: linear(z.view(2, 4)))), VECTORS, {}),
    "a NaN in the samples": ("finite samples", small(), VECTORS / VECTORS.round(), {}),
    "a NaN in z": ("NaN or infinity for 2[0-9]* of 25 samples",
                   small(encoder=Calling(lambda _, x: x[:, :4].log())),
                   torch.cat([VECTORS, -VECTORS[:5]])[-25:].abs().sub(0.9), {}),
    "a branch": ("branches on values in a tensor; .*torch.where", small(Calling(branching)),
                 VECTORS, {}),
    "an operator": ("no ONNX operator for prims.bessel_i1",
                    small(Calling(lambda linear, z: linear(torch.special.i1(z)))), VECTORS, {}),
    "a mixed batch": ("on the head.* mixes the samples",
                      small(Calling(lambda linear, z: linear(z - z.mean(0)))), VECTORS, {}),
    "an item": ("on the head.* mixes the samples",
                small(Calling(lambda linear, z: linear(z / z.abs().max().item()))), VECTORS, {}),
    "a name": ("starts with a letter or digit, but got 'a b'; choose another --name", small(),
               VECTORS, {"name": "a b"}),
}  # fmt: skip


@pytest.mark.parametrize("case", USELESS)
def test_halves_that_cannot_work_are_not_signed(case, tmp_path, capfd):
    message, model, samples, changes = USELESS[case]
    with pytest.raises(ConfigError, match=message) as caught:
        exporting(model, tmp_path, samples, **changes)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
    assert not (tmp_path / "out").exists()
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_parts_that_overwrite_what_they_are_given_export_as_others_do(tmp_path):
    def model(inplace):
        def rectified(linear, z):
            return linear(nn.functional.relu(z.flatten(1), inplace=inplace))

        with torch.random.fork_rng():
            torch.manual_seed(0)
            encoder = nn.Sequential(nn.ReLU(inplace=inplace), nn.Linear(6, 4))
            return models.SplitModel(encoder, Calling(rectified))

    x = VECTORS - 0.5
    kept = x.clone()
    for inplace in (True, False):
        (tmp_path / str(inplace)).mkdir()
        exporting(model(inplace), tmp_path / str(inplace), x)
    assert torch.equal(x, kept)
    for half, name in (("edge/encoder.onnx", "x"), ("cloud/head.onnx", "z")):
        given = {name: x if name == "x" else x[:, :4]}
        contents = [(tmp_path / kind / "out" / half).read_bytes() for kind in ("True", "False")]
        assert np.array_equal(*(run(content, **given) for content in contents))


def test_noise_that_is_drawn_in_place_is_refused_as_well(tmp_path):
    noisy = models.SplitModel(nn.Linear(6, 4), nn.Linear(4, 3), Calling(
        lambda _, z: z.add_(torch.rand_like(z))))  # fmt: skip
    with pytest.raises(ConfigError, match="gives two results"):
        exporting(noisy, tmp_path, VECTORS)


def test_after_a_full_disk_the_same_command_works(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    signing.private_key(tmp_path / "key.pem")
    with monkeypatch.context() as patch:
        patch.setattr("mixcon.serving.contract.write_whole", full)
        with pytest.raises(OSError, match="No space left"):
            exporting(small(), tmp_path, VECTORS)
    assert not (tmp_path / "out").exists()
    assert exporting(small(), tmp_path, VECTORS).folder == tmp_path / "out"


def test_a_half_too_large_for_one_file_is_refused_before_the_work(monkeypatch):
    monkeypatch.setattr("mixcon.serving.onnx_graph._LARGEST", 4 * 1000)
    z = torch.zeros(2, 10)
    assert head_onnx(nn.Linear(10, 90), z)
    with pytest.raises(ConfigError, match=r"one file of ONNX.*'logits' has.*cut"):
        head_onnx(nn.Linear(10, 100), z)
