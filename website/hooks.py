"""What MkDocs calls: pages made by code, and links that only make sense in the repository."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]  # MkDocs loads this file by its path

from website import api, cards, examples, folders, front, look  # noqa: E402
from website.parts import KINDS  # noqa: E402

_BESIDE = {"../CONTRIBUTING.md": "contributing.md", "../CHANGELOG.md": "changelog.md"}


@cache
def made() -> dict[str, str]:
    """Every page that is made by code: path to Markdown."""
    beside = {
        page: (ROOT / Path(path).name).read_text(encoding="utf-8").replace("](docs/", "](")
        for path, page in _BESIDE.items()
    }
    return {**dict(cards.pages()), **dict(api.pages()), **beside, "examples.md": examples.page()}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the parts of the navigation whose pages are made."""
    filled = {
        "Parts": [
            {title: [path for path in made() if path.startswith(f"cards/{kind}/")]}
            for kind, title in KINDS.items()
        ],
        "API": [path for path in made() if path.startswith("api/")],
    }
    config.nav = [
        {title: filled.get(title, inside) for title, inside in section.items()}
        for section in config.nav or ()
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add them, and the look of reports."""
    lists = {
        f"{folder}/index.md": folders.index(folder, names)
        for folder, names in folders.unindexed(file.src_uri for file in files)
    }
    looks = {look.COLORS: look.colors(), look.ICON: look.icon()}
    for path, text in {**made(), **lists, **looks}.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in the leaderboard's front; lead links to folders and out of docs/ to their pages."""

    def target(path: str) -> str:
        if path in _BESIDE:
            return _BESIDE[path]
        if path.startswith("../examples"):
            return "examples.md"
        found = (f"{path}{end}" for end in ("/index.md", "/README.md", ".md"))
        return next((index for index in found if files.get_file_from_path(index)), path)

    if front.MARK in markdown:
        board = Path(config.docs_dir, "leaderboard.md").read_text(encoding="utf-8")
        markdown = markdown.replace(front.MARK, front.front(board))
    return folders.relinked(markdown, page.file.src_uri, target)
