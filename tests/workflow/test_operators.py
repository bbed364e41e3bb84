"""What operators see and do, in-process: what waits, what a replay would do, and what it does."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import BaseClient

from nyanko.executions import NotRedrivable, next_execution
from nyanko.purchases import Purchase
from nyanko.replays import Replayed
from ops import dlq, story, use_cases
from ops.dry_run import DryRun
from ops.parked import parked
from ops.stages import Stage
from tests.data import MIKE, MIKES_PURCHASE, purchase_id
from tests.stripe_events import (
    NOW,
    Event,
    charge_id,
    charge_refunded,
    dispute_event,
    refund,
    refund_event,
    session_event,
    signed,
)
from tests.workflow.engine import Workflow
from tests.workflow.operators import stage_of_the_workflow

ONE_PACK = {"cat_food": 10, "toy_mouse": 1}


@pytest.fixture
def stage(workflow: Workflow) -> Stage:  # noqa: ARG001 it must run
    return stage_of_the_workflow()


def park(workflow: Workflow, event: Event, state: str = "VerifyEvent") -> str:
    """The event could not go on, though by now it could; Stripe still knows it."""
    workflow.stripe_api.events[event["id"]] = event
    workflow.fail(state, "KeyError")
    assert workflow.deliver(signed(event)).status == "FAILED"
    return str(event["id"])


def run(stage: Stage, workflow: Workflow, *event_ids: str, reason: str = "mended") -> list[Replayed]:
    replay = use_cases.replay(stage)
    started = [replay.start(event_id, reason, workflow.now) for event_id in event_ids]
    return replay.finish(started, sleep=lambda _: None)


def foreseen(stage: Stage, workflow: Workflow, *event_ids: str) -> list[Any]:
    found = [use_cases.replay(stage).delivery(event_id, workflow.now) for event_id in event_ids]
    return DryRun(stage)([delivery for delivery in found if delivery], workflow.now)


def paid(purchase: Purchase) -> list[Event]:
    return [session_event("completed", purchase)]


def paid_and_partly_refunded(purchase: Purchase) -> list[Event]:
    return [session_event("completed", purchase), refund_event("created", purchase, amount=500)]


def refunded_by_sum(purchase: Purchase) -> list[Event]:
    return [session_event("completed", purchase), charge_refunded(purchase, 1000)]


def disputed(purchase: Purchase) -> list[Event]:
    return [session_event("completed", purchase), dispute_event("created", purchase)]


def expired_and_paid_late(purchase: Purchase) -> list[Event]:
    return [session_event("expired", purchase, payment_status="unpaid"), session_event("completed", purchase)]


def tampered(purchase: Purchase) -> list[Event]:
    return [session_event("completed", purchase, amount_total=1)]


def of_another_application(purchase: Purchase) -> list[Event]:
    return [session_event("completed", purchase, metadata={})]


def of_nobody(purchase: Purchase) -> list[Event]:
    return [session_event("completed", purchase, metadata={"purchase_id": purchase_id("nobody")})]


def of_another_mode(purchase: Purchase) -> list[Event]:
    return [session_event("completed", purchase) | {"livemode": True}]


def of_an_old_endpoint(purchase: Purchase) -> list[Event]:
    return [session_event("completed", purchase) | {"api_version": "2020-08-27"}]


HISTORIES = [
    paid,
    paid_and_partly_refunded,
    refunded_by_sum,
    disputed,
    expired_and_paid_late,
    tampered,
    of_another_application,
    of_nobody,
    of_another_mode,
    of_an_old_endpoint,
]


@pytest.mark.parametrize("history", HISTORIES)
def test_a_replay_does_what_its_dry_run_said(
    workflow: Workflow, stage: Stage, history: Callable[[Purchase], list[Event]]
) -> None:
    purchase = workflow.sell(quantity=3)
    workflow.stripe_api.sessions["pi_mike"] = [
        {"id": "cs_test_mike", "mode": "payment", "metadata": {"purchase_id": MIKES_PURCHASE}}
    ]
    workflow.stripe_api.refunds[charge_id(purchase)] = [refund(purchase, amount=1000)]
    event_ids = [park(workflow, event) for event in history(purchase)]
    before = (workflow.inventory(), workflow.rows("ledger"), workflow.rows("purchases"))
    plans = foreseen(stage, workflow, *event_ids)
    assert (workflow.inventory(), workflow.rows("ledger"), workflow.rows("purchases")) == before

    ended = run(stage, workflow, *event_ids)
    promised = {step.event_id: step.outcome for one in plans for step in one.steps}
    assert {one.event_id: one.outcome for one in ended} == promised
    reasons = {step.event_id: step.reason for one in plans for step in one.steps}
    assert {one.event_id: one.reason for one in ended} == reasons
    inventory = {item: count for item, count in workflow.inventory().items() if count}
    foretold: dict[str, int] = {}
    for one in plans:
        for line in one.lines:
            foretold[line.item_id] = foretold.get(line.item_id, 0) + line.delta
        if one.after is not None:
            assert workflow.purchase() == one.after
    assert inventory == {item: count for item, count in foretold.items() if count}
    assert {row["line_id"] for row in workflow.rows("ledger")} == {
        line.line_id for one in plans for line in one.lines
    }


def test_replaying_again_starts_nothing(workflow: Workflow, stage: Stage) -> None:
    event_id = park(workflow, session_event("completed", workflow.sell(quantity=1)))
    run(stage, workflow, event_id)
    assert run(stage, workflow, event_id) == [Replayed(event_id, "applied")]
    assert len(workflow.executions(event_id)) == 2
    assert len(workflow.rows("replays")) == 1


def test_a_replay_that_is_parked_again_says_why_and_can_be_repeated(workflow: Workflow, stage: Stage) -> None:
    event_id = park(workflow, session_event("completed", workflow.sell(quantity=1)))
    workflow.fail("RecordPayment", "KeyError", "'quantity'")
    [again] = run(stage, workflow, event_id, reason="a first try")
    assert (again.outcome, again.reason) == ("parked", "KeyError: 'quantity'")
    [well] = run(stage, workflow, event_id, reason="a second try")
    assert (well.outcome, well.execution) == ("applied", f"{event_id}-r2")
    told = story.of_event(stage, event_id)
    assert [(one.execution, one.reason) for one in told.replays] == [
        (f"{event_id}-r1", "a first try"),
        (f"{event_id}-r2", "a second try"),
    ]
    assert {one.by for one in told.replays} == {stage.operator}
    assert [one.status for one in told.executions] == ["FAILED", "FAILED", "SUCCEEDED"]
    assert told.executions[1].path[-3:] == ["RecordPayment", "ParkEvent", "Parked"]


def test_an_execution_that_runs_is_not_run_beside_itself(workflow: Workflow, stage: Stage) -> None:
    event = session_event("completed", workflow.sell(quantity=1))
    found: list[Replayed] = []
    workflow.meanwhile(
        "RecordPayment",
        lambda: found.append(use_cases.replay(stage).start(event["id"], "too early", workflow.now)),
    )
    workflow.deliver(signed(event))
    assert found == [Replayed(event["id"], "running", event["id"])]
    assert workflow.rows("replays") == []


def test_a_replay_works_when_step_functions_has_forgotten_and_the_secret_was_rolled(
    workflow: Workflow, stage: Stage
) -> None:
    event = session_event("completed", workflow.sell(quantity=1))
    workflow.fail("RecordPayment", "KeyError")
    workflow.deliver(signed(event))
    rolled = signed(event, secret="whsec_of_last_year")["signature"]
    stage.adapters.table("events").update(
        {"event_id": event["id"]}, "SET signature = :signature", {"signature": rolled}
    )
    run(stage, workflow, event["id"])
    workflow.now += 400 * 24 * 3600
    on_record = [replay.execution for replay in stage.adapters.replays.of_event(event["id"])]
    assert next_execution(event["id"], lambda _: None, on_record).name == f"{event['id']}-r2"
    assert workflow.inventory() == ONE_PACK


def test_an_execution_that_was_aborted_before_it_claimed_is_listed_and_replayed_as_stripe_has_it(
    workflow: Workflow, stage: Stage
) -> None:
    event = session_event("completed", workflow.sell(quantity=1))
    workflow.stripe_api.events[event["id"]] = event
    workflow.meanwhile("VerifyEvent", lambda: workflow.abort(event["id"]), after_effect=True)
    assert workflow.deliver(signed(event)).status == "ABORTED"
    [waiting] = parked(stage)
    assert (waiting.event_id, waiting.state, waiting.reason) == (event["id"], None, "ABORTED")
    [ended] = run(stage, workflow, event["id"])
    assert ended.outcome == "applied"
    assert (parked(stage), workflow.inventory()) == ([], ONE_PACK)


@pytest.mark.parametrize(
    "replay", [{}, "x", 5, {"mac": 5}, {"by": "mike", "at": NOW, "reason": "mine", "mac": "AAAA"}, None]
)
def test_no_replay_vouches_for_what_nobody_has_authenticated(
    workflow: Workflow, stage: Stage, replay: Any
) -> None:
    """Somebody may write to the queue, and the operators replay whatever is parked."""
    forged: Any = signed(session_event("completed", workflow.sell(quantity=1)), secret="whsec_of_mine")
    assert workflow.receive(forged if replay is None else {**forged, "replay": replay}) == []
    [waiting] = parked(stage)
    assert waiting.reason == "BadSignature"
    [ended] = run(stage, workflow, waiting.event_id)
    assert (ended.outcome, ended.reason) == (
        "parked",
        f"UnknownToStripe: Stripe knows no event {waiting.event_id}",
    )
    assert workflow.inventory() == {}


def test_no_replay_vouches_for_the_input_of_an_execution(workflow: Workflow, stage: Stage) -> None:
    forged = signed(session_event("completed", workflow.sell(quantity=1)), secret="whsec_of_mine")
    workflow.meanwhile("VerifyEvent", lambda: workflow.abort(forged["event_id"]), after_effect=True)
    workflow.deliver(forged)
    [ended] = run(stage, workflow, forged["event_id"])
    assert ended.outcome == "parked"
    assert workflow.inventory() == {}


def test_an_execution_that_was_aborted_after_it_claimed_is_listed_with_its_purchase(
    workflow: Workflow, stage: Stage
) -> None:
    event = session_event("completed", workflow.sell(quantity=1))
    workflow.meanwhile("ClaimEvent", lambda: workflow.abort(event["id"]), after_effect=True)
    workflow.deliver(signed(event))
    [waiting] = parked(stage)
    assert (waiting.state, waiting.reason, waiting.amount) == ("claimed", "ABORTED", 500)
    assert (waiting.purchase_id, waiting.player_id) == (MIKES_PURCHASE, MIKE.player_id)


def test_what_is_parked_can_be_asked_for_by_reason_and_by_time(workflow: Workflow, stage: Stage) -> None:
    early = park(workflow, session_event("completed", workflow.sell(purchase_id("early"), quantity=1)))
    workflow.now += 3600
    workflow.deliver(signed(session_event("completed", workflow.sell(purchase_id("late")), amount_total=1)))
    assert [one.event_id for one in parked(stage, "KeyError")] == [early]
    assert [one.reason for one in parked(stage, since=workflow.now - 60)] == ["AmountMismatch"]
    assert len(parked(stage)) == 2


def test_an_event_that_nobody_knows_cannot_be_replayed(workflow: Workflow, stage: Stage) -> None:
    assert [one.outcome for one in run(stage, workflow, "evt_unknown")] == ["unknown"]
    assert workflow.rows("replays") == []


def test_a_purchase_tells_its_story_in_the_order_of_time(workflow: Workflow, stage: Stage) -> None:
    purchase = workflow.sell(quantity=1)
    workflow.now += 60
    event_id = park(workflow, session_event("completed", purchase), "GrantItems")
    workflow.stripe_api.down = True
    workflow.now += 60
    run(stage, workflow, event_id)
    told = story.of_purchase(stage, MIKES_PURCHASE)
    assert story.standing(told.purchase)["status"] == "granted"
    whats = [one.what for one in story.moments(told)]
    assert whats[0] == "checkout"
    assert sorted(set(whats)) == [
        "applied",
        "checkout",
        "event",
        "execution",
        "ledger",
        "notice",
        "received",
        "replay",
    ]
    times = [one.at for one in story.moments(told)]
    assert times == sorted(times)


def test_a_story_is_told_without_stripe_as_well(workflow: Workflow, stage: Stage) -> None:
    workflow.deliver(signed(session_event("completed", workflow.sell(quantity=1))))
    stage.adapters.purchases.attach_session(
        workflow.purchase(), "cs_test_mike", "https://checkout.stripe.test"
    )
    workflow.stripe_api.down = True
    assert story.of_purchase(stage, MIKES_PURCHASE).session is None


def test_step_functions_itself_continues_what_was_interrupted(
    workflow: Workflow, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = session_event("completed", workflow.sell(quantity=1))
    workflow.meanwhile("RecordPayment", lambda: workflow.abort(event["id"]))
    workflow.deliver(signed(event))
    asked = calls_of(monkeypatch, "RedriveExecution", [{"redriveDate": 0}])
    started = use_cases.replay(stage).redrive(event["id"], "aborted by mistake", workflow.now)
    assert started.execution == event["id"]
    assert [one["executionArn"].rpartition(":")[2] for one in asked] == [event["id"]]
    [noted] = workflow.rows("replays")
    assert (noted["event_id"], noted["reason"]) == (event["id"], "aborted by mistake")


def test_what_was_parked_is_not_redriven(workflow: Workflow, stage: Stage) -> None:
    event_id = park(workflow, session_event("completed", workflow.sell(quantity=1)))
    with pytest.raises(NotRedrivable, match="would park it again"):
        use_cases.replay(stage).redrive(event_id, "in vain", workflow.now)
    assert workflow.rows("replays") == []


def test_what_step_functions_does_not_redrive_is_told_with_what_helps(
    workflow: Workflow, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = session_event("completed", workflow.sell(quantity=1))
    workflow.meanwhile("RecordPayment", lambda: workflow.abort(event["id"]))
    workflow.deliver(signed(event))
    told: Any = {"Error": {"Code": "ExecutionNotRedrivable", "Message": "older than 14 days"}}
    refusal = stage.clients("stepfunctions").exceptions.ExecutionNotRedrivable(told, "RedriveExecution")
    calls_of(monkeypatch, "RedriveExecution", [refusal])
    with pytest.raises(NotRedrivable, match="older than 14 days"):
        use_cases.replay(stage).redrive(event["id"], "too late", workflow.now)


def test_sqs_itself_moves_dead_letters_back_on_aws(
    workflow: Workflow, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    park(workflow, session_event("completed", workflow.sell(quantity=1)))
    started = calls_of(monkeypatch, "StartMessageMoveTask", [{"TaskHandle": "1"}])
    calls_of(
        monkeypatch,
        "ListMessageMoveTasks",
        [
            {"Results": [{"Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 0}]},
            {"Results": [{"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 1}]},
        ],
    )
    told: list[int] = []
    assert dlq.redrive(stage, advance=told.append, sleep=lambda _: None) == 1
    assert told == [0, 1]
    assert [one["SourceArn"].rpartition(":")[2] for one in started] == ["stg_jm_nyanko_payment_events_dlq"]


def test_dead_letters_say_what_they_are_about_and_stay(workflow: Workflow, stage: Stage) -> None:
    event_id = park(workflow, session_event("completed", workflow.sell(quantity=1)))
    for _ in range(2):
        [letter] = dlq.letters(stage)
        assert (letter.event_id, letter.reason) == (event_id, "KeyError")
    assert len(workflow.dead_letters()) == 1


def test_dead_letters_are_deleted_only_once_they_are_in_a_file(
    workflow: Workflow, stage: Stage, tmp_path: Any
) -> None:
    park(workflow, session_event("completed", workflow.sell(quantity=1)))
    file = tmp_path / "letters.jsonl"
    file.write_text("an earlier export")
    with pytest.raises(FileExistsError):
        dlq.purge(stage, file)
    file.unlink()
    assert dlq.purge(stage, file) == 1
    [kept] = [json.loads(text) for text in file.read_text().splitlines()]
    assert json.loads(kept["body"])["reason"] == "KeyError"
    assert workflow.dead_letters() == []


def calls_of(
    monkeypatch: pytest.MonkeyPatch, operation: str, answers: list[dict[str, Any] | Exception]
) -> list[dict[str, Any]]:
    """Play an operation that moto does not know; the parameters that it was called with."""
    asked: list[dict[str, Any]] = []
    call = BaseClient._make_api_call  # type: ignore[attr-defined] # private

    def answered(client: BaseClient, name: str, params: dict[str, Any]) -> Any:
        if name != operation:
            return call(client, name, params)
        asked.append(params)
        answer = answers[min(len(asked), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(BaseClient, "_make_api_call", answered)
    return asked
