"""Options that several commands have."""

from typing import Annotated

import typer

from nyanko.composition import clock
from ops.durations import seconds

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask. In prod the stage's name is asked for anyway.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Change nothing.")]

now = clock.now


def length(text: str) -> int:
    """An option's length of time in seconds."""
    try:
        return seconds(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
