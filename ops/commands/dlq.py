"""nyanko dlq"""

from pathlib import Path
from typing import Annotated

import typer

from ops import dlq
from ops.commands.options import AsJson, Yes, now
from ops.durations import spoken
from ops.output import as_json, confirm, found, people, progress, refuse, table
from ops.stages import Stage

app = typer.Typer(no_args_is_help=True, help="The dead-letter queue of payment events.")


@app.command()
def show(context: typer.Context, *, json: AsJson = False) -> None:
    """List what lies in the dead-letter queue. Exit 1 if there is anything."""
    stage: Stage = context.obj
    letters = dlq.letters(stage)
    if json:
        as_json(letters)
    elif letters:
        table(
            ["event", "execution", "reason", "age", "cause"],
            (
                [
                    one.event_id,
                    one.execution,
                    one.reason or "could not be started",
                    spoken(max(now() - one.sent_at, 0)),
                    one.cause,
                ]
                for one in letters
            ),
        )
    else:
        people.print("the dead-letter queue is empty")
    if letters:
        found()


@app.command()
def redrive(context: typer.Context, *, yes: Yes = False) -> None:
    """Send everything back to the queue, as if it came for the first time; what was parked is run again.

    Whoever wants to see first what happens replays instead, and then purges.
    """
    stage: Stage = context.obj
    confirm(stage, "Send all dead letters back to the queue", yes=yes)
    with progress() as bar:
        task = bar.add_task("moving", total=None)
        moved = dlq.redrive(stage, advance=lambda done: bar.update(task, completed=done))
    people.print(f"{moved} messages were sent back")


@app.command()
def purge(
    context: typer.Context,
    export: Annotated[Path, typer.Option(help="A new file that keeps what is deleted.")],
    *,
    yes: Yes = False,
) -> None:
    """Write everything to a file, then delete it from the queue. Events that are parked stay parked."""
    stage: Stage = context.obj
    confirm(stage, "Delete all dead letters", yes=yes)
    try:
        purged = dlq.purge(stage, export)
    except OSError as error:
        refuse(f"{export} cannot be written, so nothing was deleted: {error.strerror}")
    people.print(f"{purged} messages were written to {export} and deleted")
