"""nyanko reconcile"""

import time
from dataclasses import asdict
from typing import Annotated

import typer

from nyanko.adapters.dynamodb_events import Events
from nyanko.use_cases.audit import Report
from ops import use_cases
from ops.commands.options import AsJson, Yes, length, now
from ops.output import as_json, confirm, errors, found, people, progress, table
from ops.stages import Stage

WAITED_SECONDS = 300


def command(
    context: typer.Context,
    *,
    since: Annotated[str, typer.Option(help="How far to look back.")] = "24h",
    settle: Annotated[str, typer.Option(help="What is younger is on its way.")] = "5m",
    repair: Annotated[
        bool, typer.Option("--repair", help="Run lost events and wait for them; close overdue sessions.")
    ] = False,
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Compare Stripe's events, sessions, refunds and disputes with events, purchases, ledger and inventory.

    Prints the balance and whatever differs. Exit 1 if anything is unexplained, after the repair if asked for.
    """
    stage: Stage = context.obj
    began, young = now() - length(since), length(settle)
    audit = use_cases.audit(stage)
    report = audit(began, now(), young, progress=_say)
    lost, overdue = report.lost_events, report.open_sessions
    if repair and (lost or overdue):
        asked = f"Send {len(lost)} events through the pipeline again and close {len(overdue)} sessions"
        confirm(stage, asked, yes=yes)
        audit.repair(report)
        _await(stage.adapters.events, lost)
        report = audit(began, now(), young, progress=_say)
    if json:
        as_json({**asdict(report), "unexplained": len(report.unexplained)})
    else:
        show(report)
    if report.unexplained or report.sheet.unexplained_yen:
        found()


def show(report: Report) -> None:
    sheet = report.sheet
    table(
        ["yen", ""],
        [
            ["paid", sheet.paid_yen],
            ["refunded", sheet.refunded_yen],
            ["held by disputes", sheet.held_yen],
            ["granted", sheet.granted_yen],
            ["outstanding: paid, and its event waits", sheet.outstanding_yen],
            ["unexplained", sheet.unexplained_yen],
        ],
    )
    if report.findings:
        table(
            ["what", "of", "", "explained"],
            ([one.kind, one.about, one.text, "yes" if one.explained else "no"] for one in report.findings),
        )
    unexplained = f"{len(report.unexplained)} of {len(report.findings)} findings are unexplained"
    people.print(f"{sheet.purchases} purchases; {unexplained}")


def _say(what: str) -> None:
    errors.print(f"comparing {what}", style="dim")


def _await(events: Events, event_ids: list[str]) -> None:
    """Until the events have come to an end; a minute's outage is left to the next comparison."""
    deadline = time.monotonic() + WAITED_SECONDS
    with progress() as bar:
        task = bar.add_task("repairing", total=len(event_ids))
        while (left := events.unfinished(event_ids)) and time.monotonic() < deadline:
            bar.update(task, completed=len(event_ids) - len(left))
            time.sleep(0.3)
