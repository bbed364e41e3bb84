"""What a running stack tells other programs: where everything is."""

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path

from local.names import ROOT
from local.process import StartError

DESCRIPTION = "stack.json"
SAM = "sam"
"""The folder of what `sam local` reads (local/sam.py)."""


def directory_option(options: argparse.ArgumentParser) -> None:
    options.add_argument(
        "--directory",
        type=Path,
        default=os.environ.get("NYANKO_LOCAL_DIR", str(ROOT / ".local")),
        help="where the stack's stack.json is (NYANKO_LOCAL_DIR, default .local)",
    )


def described(directory: Path) -> Mapping[str, str]:
    """What the running stack says of itself; raises `StartError` when there is none."""
    description = directory / DESCRIPTION
    try:
        found: dict[str, str] = json.loads(description.read_text())
    except FileNotFoundError:
        raise StartError(f"there is no {description}: start the local stack with `make run`") from None
    return found
