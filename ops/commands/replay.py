"""nyanko replay"""

from typing import Annotated

import typer

from nyanko.executions import NotRedrivable, event_id_of, name_of
from nyanko.replays import WITHOUT_REASON, Replayed
from ops import use_cases
from ops.commands.options import AsJson, DryRunOption, Yes, length, now
from ops.dry_run import DryRun, Plan
from ops.output import as_json, confirm, found, people, progress, refuse, table
from ops.parked import parked
from ops.stages import Stage


def command(
    context: typer.Context,
    event_ids: Annotated[list[str] | None, typer.Argument(metavar="EVENT…")] = None,
    *,
    all_parked: Annotated[bool, typer.Option("--parked", help="All that `nyanko parked` lists.")] = False,
    reason: Annotated[str | None, typer.Option(help="With --parked: only those parked for this.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="24h", help="With --parked: of this last time.")
    ] = None,
    execution: Annotated[str | None, typer.Option(metavar="ARN", help="The event of this execution.")] = None,
    redrive: Annotated[
        bool, typer.Option("--redrive", help="With --execution: let Step Functions continue it itself.")
    ] = False,
    reason_text: Annotated[str, typer.Option(help="Why, for the record; prod requires it.")] = "",
    dry_run: DryRunOption = False,
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Run events again, each as a fresh execution from its stored body, and wait for what becomes of them.

    An event that was never verified is fetched from Stripe instead. What has been applied is not run again,
    so that the same command may be given twice. Exit 1 if an event does not end as applied or ignored.
    """
    stage: Stage = context.obj
    if [bool(event_ids), all_parked, execution is not None].count(True) != 1:
        refuse("name events, or --parked, or --execution ARN")
    if redrive and execution is None:
        refuse("--redrive continues one execution: name it with --execution ARN")
    if stage.name == "prod" and not dry_run and not reason_text:
        refuse("say why with --reason-text: it is kept with the event")
    wanted = _wanted(stage, event_ids, execution, reason, now() - length(since) if since else None)
    if not wanted:
        people.print("there is nothing to replay")
        return
    if dry_run:
        _foresee(stage, wanted, json=json)
        return
    confirm(stage, f"Replay {len(wanted)} event{'s' if len(wanted) > 1 else ''}", yes=yes)
    ended = _run(stage, wanted, reason_text or WITHOUT_REASON, redrive=redrive)
    if json:
        as_json(ended)
    else:
        table(
            ["event", "outcome", "execution", "because"],
            ([one.event_id, one.outcome, one.execution, one.reason] for one in ended),
        )
    if not all(one.is_well for one in ended):
        found()


def _wanted(
    stage: Stage, event_ids: list[str] | None, execution: str | None, reason: str | None, since: int | None
) -> dict[str, str | None]:
    """The events, each with an execution of it that is known to have failed, if any is."""
    if event_ids:
        return dict.fromkeys(event_ids)
    if execution:
        return {event_id_of(execution): name_of(execution)}
    return {one.event_id: one.execution for one in parked(stage, reason, since)}


def _foresee(stage: Stage, wanted: dict[str, str | None], *, json: bool) -> None:
    replay = use_cases.replay(stage)
    at = now()
    found = {event_id: replay.delivery(event_id, at, execution) for event_id, execution in wanted.items()}
    plans = DryRun(stage)([delivery for delivery in found.values() if delivery], at)
    unknown = [event_id for event_id, delivery in found.items() if delivery is None]
    if json:
        as_json([{**_described(one), "changes": one.changes} for one in plans])
    else:
        for one in plans:
            show(one)
    if unknown:
        refuse(f"{stage.name} has no such event to replay: {', '.join(unknown)}")


def _described(one: Plan) -> dict[str, object]:
    return {
        "purchase_id": one.purchase_id,
        "steps": one.steps,
        "lines": one.lines,
        "notices": one.notices,
    }


def show(one: Plan) -> None:
    people.print(one.purchase_id or "of no purchase", style="bold")
    table(
        ["event", "type", "becomes", "because"],
        ([step.event_id, step.type, step.outcome, step.reason] for step in one.steps),
    )
    if one.changes:
        table(["", "before", "after"], ([name, *values] for name, values in one.changes.items()))
    else:
        people.print("nothing changes for the player")
    if one.lines:
        table(
            ["ledger line", "item", "change"],
            ([line.line_id, line.item_id, f"{line.delta:+}"] for line in one.lines),
        )
    for notice in one.notices:
        people.print(f"the player is told: {notice['status']}, {dict(notice['items']) or 'no items'}")


def _run(stage: Stage, wanted: dict[str, str | None], reason: str, *, redrive: bool) -> list[Replayed]:
    replay = use_cases.replay(stage)
    if redrive and not stage.is_aws:
        refuse("the local engine has no RedriveExecution; replay without --redrive")
    with progress() as bar:
        task = bar.add_task("replaying", total=len(wanted))
        if redrive:
            try:
                started = [replay.redrive(str(name), reason, now()) for name in wanted.values()]
            except NotRedrivable as error:
                refuse(f"{error}; replay without --redrive")
        else:
            started = [
                replay.start(event_id, reason, now(), execution) for event_id, execution in wanted.items()
            ]
        return replay.finish(started, advance=lambda: bar.advance(task))
