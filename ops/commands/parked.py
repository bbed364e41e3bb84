"""nyanko parked"""

from typing import Annotated

import typer

from ops.commands.options import AsJson, length, now
from ops.durations import spoken
from ops.output import as_json, found, people, table
from ops.parked import Waiting, parked
from ops.stages import Stage


def command(
    context: typer.Context,
    *,
    reason: Annotated[str | None, typer.Option(help="Only those parked for this.")] = None,
    since: Annotated[str | None, typer.Option(metavar="24h", help="Only those of this last time.")] = None,
    json: AsJson = False,
) -> None:
    """List events that wait for a person: parked ones, and those whose execution failed, timed out or was
    aborted without parking them. Exit 1 if there are any."""
    stage: Stage = context.obj
    waiting = parked(stage, reason, now() - length(since) if since else None)
    if json:
        as_json(waiting)
    elif waiting:
        show(waiting)
    else:
        people.print(f"nothing is parked in {stage.name}")
    if waiting:
        found()


def show(waiting: list[Waiting]) -> None:
    table(
        ["event", "type", "reason", "age", "player", "purchase", "yen"],
        (
            [
                one.event_id,
                one.type,
                one.reason,
                spoken(now() - one.since) if one.since else None,
                one.player_id,
                one.purchase_id,
                one.amount,
            ]
            for one in waiting
        ),
    )
