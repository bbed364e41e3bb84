"""How commands speak: tables for people, JSON for scripts, questions before what cannot be undone.

Exit codes: 0 all is well, 1 something was found or did not come out well, 2 the command could not be done.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ops.stages import Stage

FOUND, REFUSED = 1, 2

# What is shown is other people's text; none of it is markup.
people = Console(markup=False, highlight=False, emoji=False)
errors = Console(stderr=True, markup=False, highlight=False, emoji=False)


def as_json(value: object) -> None:
    """Print for a script: dataclasses as objects, Japanese as it is."""
    print(json.dumps(_plain(value), ensure_ascii=False, indent=2))


def table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    shown = Table(*columns)
    for row in rows:
        shown.add_row(*("" if cell is None else str(cell) for cell in row))
    people.print(shown)


def progress() -> Progress:
    """A bar on standard error, where it disturbs no script."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
    )


def confirm(stage: Stage, what: str, *, yes: bool) -> None:
    """Ask before something is done; prod wants its name typed, whatever `--yes` says.

    Whoever declines, or has no terminal to answer at, has nothing done.
    """
    try:
        if stage.name == "prod":
            goes_on = typer.prompt(f"{what} in prod. Type the stage's name to go on", err=True) == stage.name
        else:
            goes_on = yes or typer.confirm(f"{what} in {stage.name}?", err=True)
    except typer.Abort:
        goes_on = False
    if not goes_on:
        refuse("nothing was done")


def refuse(reason: str) -> NoReturn:
    errors.print(reason, style="red")
    raise typer.Exit(REFUSED)


def found() -> NoReturn:
    raise typer.Exit(FOUND)


def _plain(value: object) -> Any:  # noqa: ANN401 whatever JSON has
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    return value
