"""What the pages point to is there: files, headings, and the commands that they name."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]
ROOMS = ("benchmarks", "deploy", "feature_repo", "flink_jobs", "scoring", "simulator", "training")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))


@pages
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link is a file or folder that exists, and its anchor a heading there."""
    assert broken_links(page) == []


@pages
def test_commands_exist(page: Path) -> None:
    """Every ``python -m`` of ours is a module that can be run, every ``make`` a target."""
    assert unknown_commands(page.read_text()) == []


def test_what_does_not_exist_is_found(tmp_path: Path) -> None:
    """A broken link, an anchor without its heading, and commands that are not there are told."""
    page = tmp_path / "page.md"
    page.write_text(
        "# A page: `with` words, and signs\n## Twice\n## Twice\n"
        "```\n# no heading\n[no](link)\n```\n"
        "[](#a-page-with-words-and-signs) [](#twice-1) [](page.md#twice) [](https://example.com)\n"
        "[](missing.md) [](#no-heading)\n"
        "`make run` `python -m training.run --seed 7` `python -m pytest`\n"
        "`make coffee` `python -m training.missing` `python -m training.worth.`\n"
    )
    assert broken_links(page) == ["missing.md", "#no-heading"]
    unknown = ["make coffee", "python -m training.missing", "python -m training.worth"]
    assert unknown_commands(page.read_text()) == unknown


def broken_links(page: Path) -> list[str]:
    """Return the relative links of a page that lead to no file, or to no heading of it."""
    prose = _without_code(page.read_text())
    links = re.findall(r"\]\(([^)\s]+)\)", prose)
    return [link for link in links if ":" not in link and not _leads_somewhere(page, link)]


def unknown_commands(text: str) -> list[str]:
    """Return the commands of a page that are no target of the Makefile and no module of ours."""
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE)
    made = re.findall(r"(?:^|`)make ([a-z-]+)", text, flags=re.MULTILINE)
    modules = re.findall(rf"python -m ((?:{'|'.join(ROOMS)})[\w.]*\w)", text)
    return [f"make {target}" for target in made if target not in targets] + [
        f"python -m {module}" for module in modules if not _can_be_run(module)
    ]


def _leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    return target.exists() and (not anchor or anchor in _anchors(target.read_text()))


def _anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings; the later ones of the same words have a number."""
    anchors: list[str] = []
    for heading in re.findall(r"^#+ +(.+)$", _without_code(text), flags=re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        earlier = anchors.count(anchor)
        anchors.append(f"{anchor}-{earlier}" if earlier else anchor)
    return set(anchors)


def _without_code(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)


def _can_be_run(module: str) -> bool:
    """Tell by its path whether a module is a command: importing it may need other packages."""
    path = REPOSITORY / module.replace(".", "/")
    if (path / "__main__.py").exists():
        return True
    source = path.with_suffix(".py")
    return source.exists() and 'if __name__ == "__main__"' in source.read_text()
