"""What a newcomer meets first, on whatever machine: the right Python, or at once the word for it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.template import ROOT


def made_with(folder: Path, version: str | None) -> subprocess.CompletedProcess[str]:
    """`make run` in a folder without an environment, where PYTHON is of a version or is not there."""
    python = folder / "python"
    if version is not None:
        python.write_text(f"#!/bin/sh\necho {version}\n")
        python.chmod(0o755)
    for name in ("Makefile", "requirements.txt", "requirements-uv.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return subprocess.run(
        ["make", f"PYTHON={python}", "run"],  # noqa: S607 whichever make there is
        cwd=folder,
        env={**os.environ, "MAKEFLAGS": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.14", "2.7", None])
def test_a_python_that_cannot_run_this_is_named_at_once_with_the_way_out(
    tmp_path: Path, version: str | None
) -> None:
    tried = made_with(tmp_path, version)
    assert tried.returncode != 0
    first, second, *_ = tried.stderr.splitlines()
    assert first == f"This needs Python 3.11, 3.12 or 3.13; {tmp_path}/python is {version or 'not there'}."
    assert second == "Name another one: make PYTHON=python3.12 run"
    assert not (tmp_path / ".venv").exists()


def test_an_environment_of_another_python_is_made_anew(tmp_path: Path) -> None:
    stale = tmp_path / ".venv" / "python-3.12"
    stale.parent.mkdir()
    stale.touch()
    made_with(tmp_path, "3.11")
    assert not stale.exists()
