"""What functions log and count on a purchase's way: enough to follow it, nothing about the buyer."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.data import MIKES_PURCHASE, TAMAS_PURCHASE, purchase_id
from tests.invocation import REQUEST_ID
from tests.printed import printed
from tests.stripe_events import refund_event, session_event, signed
from tests.workflow import lambda_runtime
from tests.workflow.engine import Workflow

IN_THE_WORKFLOW = {"verify_event", "record_payment", "grant_items", "notify_player", "park_event"}
BUYER = ("三毛 猫子", "mike@nyanko.example")


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def counted(out: str) -> dict[tuple[str, str], float]:
    """By function and name, the sum of each figure that has no other dimension."""
    found: dict[tuple[str, str], float] = {}
    for line in lines(out):
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == "stg_jm_nyanko"
            if directive["Dimensions"] == [["service"]]:
                for metric in directive["Metrics"]:
                    key = (line["service"], metric["Name"])
                    found[key] = found.get(key, 0) + sum(line[metric["Name"]])
    return found


def happen(workflow: Workflow) -> None:
    """A purchase is granted a minute after it was paid, told twice, partly refunded; another is tampered."""
    purchase = workflow.sell(quantity=3)
    paid = signed(session_event("completed", purchase))
    workflow.now += 60
    workflow.deliver(paid)
    workflow.deliver(paid)
    workflow.deliver(signed(refund_event("created", purchase, amount=500), at=workflow.now))
    workflow.deliver(
        signed(session_event("completed", workflow.sell(TAMAS_PURCHASE), amount_total=1), at=workflow.now)
    )


FUNCTIONS = ("start_payment", *IN_THE_WORKFLOW)


def said(happened: Callable[[], object]) -> list[dict[str, Any]]:
    """The log lines meanwhile of the functions that a purchase passes, without their figures."""
    for folder in FUNCTIONS:  # a logger that is made meanwhile would print elsewhere
        lambda_runtime.load(folder)
    with printed() as text:
        happened()
    return [line for line in lines(text.getvalue()) if "_aws" not in line]


def test_every_line_of_the_workflow_names_event_purchase_and_execution(workflow: Workflow) -> None:
    told = [line for line in said(lambda: happen(workflow)) if line["service"] in IN_THE_WORKFLOW]
    assert {line["service"] for line in told} == IN_THE_WORKFLOW
    for line in told:
        assert line["event_id"].startswith("evt_"), line
        assert line["purchase_id"] in {MIKES_PURCHASE, TAMAS_PURCHASE} or line["message"] == "failed", line
        assert line["execution"].startswith(line["event_id"]), line
        assert line["request_id"] == REQUEST_ID, line
        assert line["cold_start"] in {True, False}, line


FAILURES = [
    ("start_payment", "StartExecution", "ThrottlingException", "not started"),
    ("record_payment", "GetItem", "ThrottlingException", "failed"),
    ("record_payment", "UpdateItem", "ValidationException", "failed"),
    ("grant_items", "TransactWriteItems", "ValidationException", "failed"),
    ("notify_player", "PutItem", "ThrottlingException", "failed"),
    ("park_event", "UpdateItem", "ThrottlingException", "failed"),
]


@pytest.mark.parametrize(("folder", "operation", "code", "message"), FAILURES)
def test_the_line_of_a_failure_says_of_which_event(
    workflow: Workflow, folder: str, operation: str, code: str, message: str
) -> None:
    amount = {"amount_total": 1} if folder == "park_event" else {}
    delivery = signed(session_event("completed", workflow.sell(quantity=1), **amount))
    workflow.fail_call(folder, operation, code)
    told = said(lambda: workflow.receive(delivery))
    failures = [line for line in told if line["service"] == folder and line["message"] == message]
    assert failures
    assert {line.get("event_id") for line in told} == {delivery["event_id"]}, told


def test_what_was_appended_for_one_event_is_not_said_of_the_next(workflow: Workflow) -> None:
    first = signed(session_event("completed", workflow.sell(quantity=1)))
    told = said(lambda: workflow.receive(first, {"unreadable": True}))
    [failed] = [line for line in told if line["message"] == "not started"]
    assert (failed["message_id"], "event_id" in failed, "execution" in failed) == ("1", False, False)


def test_no_line_says_who_buys(
    workflow: Workflow, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    delivery = signed(session_event("completed", workflow.sell(quantity=1)))
    assert all(part in delivery["body"] for part in BUYER)
    workflow.deliver(delivery)
    for state in ("VerifyEvent", "RecordPayment", "GrantItems"):
        workflow.fail(state, "KeyError")
        workflow.deliver(signed(session_event("completed", workflow.sell(purchase_id(state)))))
    logged = [vars(record) for record in caplog.records if record.name in IN_THE_WORKFLOW]
    said = f"{logged}{capsys.readouterr().out}"
    assert "KeyError" in said
    assert not [part for part in BUYER if part in said or json.dumps(part).strip('"') in said]


def test_what_happens_is_counted(workflow: Workflow, capsys: pytest.CaptureFixture[str]) -> None:
    happen(workflow)
    assert counted(capsys.readouterr().out) == {
        ("start_payment", "Duplicate"): 1,
        ("grant_items", "PaidToGranted"): 60,
        ("grant_items", "YenGranted"): 1500,
        ("grant_items", "YenTakenBack"): 500,
        ("park_event", "Parked"): 1,
    }


def test_what_is_parked_is_counted_by_its_reason(
    workflow: Workflow, capsys: pytest.CaptureFixture[str]
) -> None:
    happen(workflow)
    reasons = [
        line["reason"] for line in lines(capsys.readouterr().out) if "_aws" in line and "reason" in line
    ]
    assert reasons == ["AmountMismatch"]
