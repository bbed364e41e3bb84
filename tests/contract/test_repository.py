"""What is pinned stays pinned, what is told is true, and nothing tells where it was written."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.template import ROOT

PINS = [
    "requirements.txt",
    "requirements-audit.txt",
    "requirements-mutation.txt",
    "requirements-uv.txt",
    "layers/dependencies/requirements.txt",
]
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+(?:\[[a-z0-9,-]+\])?)==([^ ;]+)(?: ; .*)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")
MACHINE = re.compile(r"(?<![\w.~}/])/(?:root|work|home|Users|mnt|srv)/\w")
REGISTRY = re.compile(
    r"--(?:extra-)?index-url|--find-links|pythonhosted\.|pypi\.|npmjs\.|artifactory|nexus", re.IGNORECASE
)
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def pins(name: str) -> dict[str, str]:
    """Package to version, after each line was found to be a pin or a hash of the pin before it."""
    found: dict[str, str] = {}
    hashed: set[str] = set()
    for line in (ROOT / name).read_text().splitlines():
        if requirement := REQUIREMENT.fullmatch(line):
            found[requirement[1]] = requirement[2]
        else:
            assert HASH.fullmatch(line), f"{name}: {line}"
            hashed.add(list(found)[-1])
    assert hashed == set(found)
    return found


def tracked() -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 whichever git there is
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip(f"this is no git checkout: {listed.stderr.strip()}")
    yield from (ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", PINS)
def test_every_package_is_pinned_and_hashed(name: str) -> None:
    assert pins(name)


def test_the_layer_ships_the_versions_that_are_tested() -> None:
    tested, shipped = pins("requirements.txt"), pins("layers/dependencies/requirements.txt")
    assert {name: tested.get(name) for name in shipped} == shipped
    assert not {"boto3", "botocore"} & set(shipped)


def test_no_tracked_file_tells_where_it_was_written() -> None:
    ours = Path(__file__)
    told = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in tracked()
        if path != ours
        for found in [_first(path)]
        if found
    ]
    assert told == []


def _first(path: Path) -> "re.Match[str] | None":
    text = path.read_text(errors="replace")
    return MACHINE.search(text) or REGISTRY.search(text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    named = set(re.findall(r"\bmake ([a-z-]+)\b", "\n".join(_code(document.read_text()))))
    assert named <= make_targets()


def test_the_readme_names_every_target() -> None:
    code = "\n".join(_code((ROOT / "README.md").read_text()))
    assert set(re.findall(r"\bmake ([a-z-]+)\b", code)) == make_targets()


def test_every_command_of_the_readme_is_a_make_target() -> None:
    """So that each of them is tried, and none needs an explanation."""
    commands = re.findall(r"^    (\S.*)$", _without_fences((ROOT / "README.md").read_text()), re.MULTILINE)
    assert commands
    assert all(command.startswith("make ") for command in commands), commands


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_and_link_in_a_document_exists(document: Path) -> None:
    text = document.read_text()
    links = [target for target in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in target]
    assert [link for link in links if not (document.parent / link).exists()] == []
    top = {path.name for path in ROOT.iterdir()} - {".venv", ".local"}
    named = {word for word in re.findall(r"`([\w./-]+/[\w./-]*)`", text) if word.split("/")[0] in top}
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def _code(text: str) -> list[str]:
    return re.findall(r"`[^`\n]+`", text) + re.findall(r"^    .*$", text, re.MULTILINE)


def _without_fences(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
