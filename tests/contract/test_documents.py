"""Documents name tests for what they say: each of them exists."""

import re
from pathlib import Path

import pytest

from tests.template import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
WRITTEN = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)
}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_a_document_names_is_there(path: Path) -> None:
    """A name that ends in an ellipsis is the beginning of one."""
    named = set(re.findall(r"`(test_\w+…?)`", path.read_text()))
    missing = {
        name
        for name in named
        if not any(written == name or written.startswith(name.rstrip("…")) for written in WRITTEN)
        and not list((ROOT / "tests").rglob(f"{name}.py"))
    }
    assert missing == set()
