"""What commands ask before they do something, and what they end with."""

import json

import pytest
from typer.testing import CliRunner, Result

from ops.cli import app
from ops.output import FOUND, REFUSED
from tests.data import purchase_id
from tests.stripe_events import Event, session_event, signed
from tests.workflow.engine import Workflow
from tests.workflow.operators import stage_of_the_workflow


def nyanko(*arguments: str, stage: str = "stg", typed: str = "") -> Result:
    return CliRunner().invoke(app, ["--stage", stage, *arguments], input=typed, catch_exceptions=False)


@pytest.fixture
def parked(workflow: Workflow) -> Event:
    stage_of_the_workflow()
    event = session_event("completed", workflow.sell(quantity=1))
    workflow.fail("GrantItems", "KeyError")
    workflow.deliver(signed(event))
    return event


def test_something_parked_is_exit_1_and_nothing_parked_is_exit_0(workflow: Workflow, parked: Event) -> None:
    seen = nyanko("parked", "--json")
    assert (seen.exit_code, [one["event_id"] for one in json.loads(seen.stdout)]) == (FOUND, [parked["id"]])
    assert nyanko("replay", "--parked", "--yes").exit_code == 0
    assert nyanko("parked").exit_code == 0
    assert workflow.inventory() == {"cat_food": 10, "toy_mouse": 1}


def test_a_dry_run_asks_nothing_and_does_nothing(workflow: Workflow, parked: Event) -> None:
    seen = nyanko("replay", parked["id"], "--dry-run")
    assert seen.exit_code == 0
    assert "cat_food" in seen.stdout
    assert len(workflow.executions(parked["id"])) == 1


@pytest.mark.parametrize("typed", ["n\n", "\n", ""])
def test_without_a_yes_nothing_is_replayed(workflow: Workflow, parked: Event, typed: str) -> None:
    assert nyanko("replay", parked["id"], typed=typed).exit_code != 0
    assert len(workflow.executions(parked["id"])) == 1


def test_a_yes_can_be_typed(workflow: Workflow, parked: Event) -> None:
    assert nyanko("replay", parked["id"], typed="y\n").exit_code == 0
    assert len(workflow.executions(parked["id"])) == 2


@pytest.mark.parametrize("typed", ["y\n", "yes\n", "stg\n"])
def test_prod_wants_its_name_typed_whatever_yes_says(workflow: Workflow, parked: Event, typed: str) -> None:
    answer = nyanko("replay", parked["id"], "--yes", "--reason-text", "mended", stage="prod", typed=typed)
    assert answer.exit_code == REFUSED
    assert len(workflow.executions(parked["id"])) == 1


def test_prod_wants_a_reason(parked: Event) -> None:
    answer = nyanko("replay", parked["id"], "--yes", stage="prod")
    assert answer.exit_code == REFUSED
    assert "--reason-text" in answer.stderr


@pytest.mark.usefixtures("workflow")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("replay",), "name events, or --parked, or --execution"),
        (("replay", "evt_1", "--parked"), "name events, or --parked, or --execution"),
        (("replay", "evt_1", "--redrive"), "--redrive continues one execution"),
        (("show", "evt_nobody"), "stg knows no event evt_nobody"),
        (("show", purchase_id("nobody")), f"stg knows no purchase {purchase_id('nobody')}"),
        (("refund", purchase_id("nobody")), f"stg knows no purchase {purchase_id('nobody')}"),
        (("parked", "--since", "yesterday"), "write 30m, 24h or 7d"),
        (("replay", "evt_nobody", "--dry-run"), "stg has no such event"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(arguments: tuple[str, ...], said: str) -> None:
    answer = nyanko(*arguments)
    assert answer.exit_code == REFUSED
    assert said in " ".join(answer.stderr.split())


@pytest.mark.usefixtures("workflow")
def test_a_stage_that_is_not_there_is_told_in_a_sentence() -> None:
    answer = nyanko("parked", stage="prod")
    assert answer.exit_code == REFUSED
    assert "ResourceNotFoundException" in answer.stderr


def test_there_are_three_stages() -> None:
    answer = nyanko("parked", stage="production")
    assert (answer.exit_code, "choose one of stg, prod, local" in answer.stderr) == (REFUSED, True)


@pytest.mark.parametrize(
    "command", ["show", "replay", "reconcile", "refund", "dlq", "ledger", "webhook", "console"]
)
def test_every_command_explains_itself_without_a_stage_that_runs(command: str) -> None:
    assert nyanko(command, "--help", stage="local").exit_code == 0
