"""Options that several commands have."""

import time
from typing import Annotated

import typer

from ops.durations import seconds

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask. In prod the stage's name is asked for anyway.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Change nothing.")]


def now() -> int:
    """Epoch seconds UTC."""
    return int(time.time())


def length(text: str) -> int:
    """An option's length of time in seconds."""
    try:
        return seconds(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
