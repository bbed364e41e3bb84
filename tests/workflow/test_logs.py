"""What functions log and count on a purchase's way: enough to follow it, nothing about the buyer."""

import json
from typing import Any

import pytest

from tests.data import MIKES_PURCHASE, TAMAS_PURCHASE, purchase_id
from tests.stripe_events import refund_event, session_event, signed
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


def test_every_line_of_the_workflow_names_event_purchase_and_execution(
    workflow: Workflow, caplog: pytest.LogCaptureFixture
) -> None:
    happen(workflow)
    # The records, not the printed lines: a logger keeps the stdout of the test that it was made in.
    ours = [(record.name, vars(record)) for record in caplog.records if record.name in IN_THE_WORKFLOW]
    assert {service for service, _ in ours} == IN_THE_WORKFLOW
    for _, line in ours:
        assert line["event_id"].startswith("evt_"), line
        assert line["purchase_id"] in {MIKES_PURCHASE, TAMAS_PURCHASE}, line
        assert line["execution"].startswith(line["event_id"]), line


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
