"""What web/publish.sh uploads, with an `aws` that only writes down what it is asked."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.template import ROOT

WEB = ROOT / "web"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}
PREFIXES = {"client": "s3://stg-jm-nyanko-frontend/play/client", "legal": "s3://stg-jm-nyanko-lp/legal"}


def publish(folder: Path, stage: str) -> tuple[subprocess.CompletedProcess[str], list[list[str]]]:
    """The run, and the words of each call of `aws`."""
    calls = folder / "calls"
    calls.touch()
    aws = folder / "aws"
    aws.write_text(f"#!/bin/sh\nfor word; do printf '%s\\t' \"$word\"; done >>'{calls}'\necho >>'{calls}'\n")
    aws.chmod(0o755)
    run = subprocess.run(
        [str(WEB / "publish.sh"), stage, "E123"],
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return run, [line.rstrip("\t").split("\t") for line in calls.read_text().splitlines()]


def test_every_file_goes_to_its_place_with_its_type_and_a_short_life_in_browsers(tmp_path: Path) -> None:
    run, calls = publish(tmp_path, "stg")
    assert (run.returncode, run.stderr) == (0, "")
    uploads = {call[2]: call[3:] for call in calls if call[:2] == ["s3", "cp"]}
    files = [path for name in PREFIXES for path in (WEB / name).iterdir() if path.suffix in TYPES]
    assert uploads == {
        f"{path.parent.name}/{path.name}": [
            f"{PREFIXES[path.parent.name]}/{path.name}",
            "--content-type",
            TYPES[path.suffix],
            "--cache-control",
            "public, max-age=300, s-maxage=31536000",
        ]
        for path in files
    }
    assert calls[-1][:2] == ["cloudfront", "create-invalidation"]


def test_prod_gets_nothing_while_a_placeholder_is_left(tmp_path: Path) -> None:
    if not any("data-placeholder" in page.read_text() for page in (WEB / "legal").glob("*.html")):
        pytest.skip("every placeholder is filled in")
    run, calls = publish(tmp_path, "prod")
    assert (run.returncode, calls) == (1, [])
    assert "placeholders" in run.stderr
