"""Brings the browser's ONNX Runtime from the npm registry into the package, for `mixcon show`.

Run by hatch at each build, editable installs included. Without npm or without the registry the
package is built all the same, and only `mixcon show` says what is missing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FILES = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")  # one thread, CPU alone
_TARGET = "src/mixcon/show/page/runtime"


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds the runtime's files, which git does not hold."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch what is missing or of another version, and put it into the wheel."""
        root = Path(self.root)
        try:
            bring(root)
        except (OSError, subprocess.CalledProcessError) as error:
            self.app.display_warning(
                f"mixcon show will not work: expected npm to bring onnxruntime-web, but {error}; "
                "install Node.js 20 or later and build again"
            )
        build_data["artifacts"].append(f"{_TARGET}/*")


def bring(root: Path) -> None:
    """Install what ``web/package-lock.json`` pins, and copy the few files that a page loads."""
    web, target = root / "web", root / _TARGET
    wanted = json.loads((web / "package.json").read_text())["dependencies"]["onnxruntime-web"]
    stamp = target / "VERSION"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("there is no npm")
    subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-fund", "--no-audit", "--fetch-retries=1"],
        cwd=web,
        check=True,
    )
    target.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shutil.copyfile(web / "node_modules/onnxruntime-web/dist" / name, target / name)
    shutil.copyfile(web / "onnxruntime-LICENSE.txt", target / "LICENSE.txt")
    stamp.write_text(wanted)
