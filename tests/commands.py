"""Commands of `nyanko` as documents and workflows write them, read as the command line would."""

import shlex
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from ops.cli import app

NYANKO = get_command(app)


def parse(command: Any, words: list[str], parent: typer.Context | None = None) -> None:
    """Read the words as the command line would, and do nothing."""
    context = command.make_context(command.name, words, parent=parent)
    if isinstance(command, TyperGroup):
        _, chosen, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        parse(chosen, rest, context)


def words(command: str) -> list[str]:
    """What follows `nyanko` in a line, as a shell would split it."""
    return shlex.split(command)[1:]
