"""`mixcon show` as a command, and the wheel that it is installed from."""

import re
import signal
import subprocess
import sys
import zipfile

import httpx2
from tests.started import started


def test_the_command_serves_the_page_until_ctrl_c(trained, runtime, tmp_path):
    words = ("show", trained("vanilla"), "--no-browser", "--port=0", "--steps=2", "--out", tmp_path)
    with started(*words) as process:
        lines = []
        while not (found := re.search(r"http://\S+", lines[-1] if lines else "")):
            lines.append(process.stderr.readline())
            assert lines[-1], lines
        content = httpx2.get(f"{found[0]}/content.json", timeout=60).json()
        assert content["cards"][0]["title"] == "Vanilla"
        assert httpx2.get(f"{found[0]}/runtime/ort.wasm.bundle.min.mjs", timeout=60).is_success
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert (tmp_path / "show" / "signing-key.pem").is_file()


def test_the_wheel_holds_the_page_and_its_runtime(runtime, tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path]
    subprocess.run([*build, "."], check=True)
    (wheel,) = tmp_path.glob("mixcon-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    page = ("index.html", "app.js", "page.css", "runtime/ort.wasm.bundle.min.mjs",
            "runtime/ort-wasm-simd-threaded.wasm", "runtime/LICENSE.txt")  # fmt: skip
    assert {f"mixcon/show/page/{name}" for name in page} <= names
