"""An edge client for a folder of pictures.

Runs the device's half here and sends what it releases: no picture leaves the machine. With
`--smoke` it first makes all that it needs: a model, its export, a server of its own and pictures.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from mixcon import TrainConfig, load_data, train
from mixcon.serving import EdgeClient, export_run
from mixcon.serving.images import find, prepare


def classify(folder: Path, edge: Path, url: str, trust: Path, max_bits: float | None) -> None:
    """Print a label for each picture of the folder."""
    with EdgeClient(edge, url, trust=trust, max_bits=max_bits) as client:
        for name, file in find([str(folder)]):
            picture = prepare(name, file, client.contract, resize=True)
            found = client.infer(np.stack([picture]))
            print(f"{found.labels[0]:<12} {found.confidences[0]:>6.1%}  {name}")
        print(f"{client.bytes_sent:,} bytes sent, HTTP's own included")


@contextmanager
def everything(folder: Path) -> Iterator[tuple[Path, str]]:
    """Pictures, an export and a server, while it runs: the folder of the export, and the URL."""
    test = load_data("digits").test
    (folder / "pictures").mkdir()
    for number, pixels in enumerate(test.inputs[:10]):
        Image.fromarray(pixels[0].numpy()).save(folder / "pictures" / f"{number}.png")
    config = TrainConfig(data="digits", network="lenet5", defense="code(bits=8)", epochs=1)
    train(config, folder / "run", accelerator="cpu")
    export_run(folder / "run", folder / "deploy", key=folder / "key.pem")
    words = ["serve", folder / "deploy" / "cloud", "--port", "0", "--unaudited"]
    trust = ["--trust", folder / "deploy" / "public-key.pem"]
    command = [sys.executable, "-m", "mixcon", *map(str, [*words, *trust])]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            urls = (
                found[1] for line in server.stderr if (found := re.search(r"at (http\S+)", line))
            )
            yield folder / "deploy", next(urls)
        finally:
            server.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--edge", type=Path, default=Path("deploy/edge"))
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--trust", type=Path, default=Path("deploy/public-key.pem"))
    parser.add_argument("--max-bits", type=float, help="refuse a model that may tell more")
    parser.add_argument("--smoke", action="store_true", help="make everything, ask ten pictures")
    options = parser.parse_args()
    if not options.smoke:
        classify(options.folder, options.edge, options.url, options.trust, options.max_bits)
        return
    with tempfile.TemporaryDirectory() as folder, everything(Path(folder)) as (deploy, url):
        trust = deploy / "public-key.pem"
        classify(Path(folder, "pictures"), deploy / "edge", url, trust, options.max_bits)


if __name__ == "__main__":
    main()
