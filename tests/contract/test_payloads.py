"""What the workflow hands its states, and what they are written to take, are the same."""

from typing import Any, get_type_hints

import pytest

from nyanko.deliveries import DeadLetter, Delivery
from nyanko.event_rows import EventRow
from nyanko.payloads import GrantInput, NotifyInput, ParkInput, RecordInput, VerifiedEvent, VerifyInput
from tests import template

STATES: dict[str, Any] = template.definition("PaymentStateMachine")["States"]
INPUTS = {
    "VerifyEvent": VerifyInput,
    "RecordPayment": RecordInput,
    "GrantItems": GrantInput,
    "ParkEvent": ParkInput,
}
CLAIMED_WITHOUT = {"expires_at"}
"""What a row has for DynamoDB alone."""


def names(fields: dict[str, Any]) -> set[str]:
    """Without the mark of those that are paths."""
    return {name.removesuffix(".$") for name in fields}


@pytest.mark.parametrize("state", INPUTS)
def test_a_state_is_given_what_its_function_takes(state: str) -> None:
    assert names(STATES[state]["Parameters"]["Payload"]) == set(get_type_hints(INPUTS[state]))


def test_a_player_is_notified_with_what_was_granted() -> None:
    assert STATES["GrantItems"]["ResultPath"] == "$.granted"
    assert STATES["GrantItems"]["ResultSelector"] == {"grant.$": "$.Payload"}
    assert STATES["NotifyPlayer"]["Parameters"]["Payload.$"] == "$.granted.grant"
    assert set(get_type_hints(NotifyInput)) == {"event_id", "execution", "purchase", "notice"}


@pytest.mark.parametrize("state", ["ClaimEvent", "RecordPayment"])
def test_what_a_state_reads_of_a_verified_event_is_in_it(state: str) -> None:
    parameters = STATES[state]["Parameters"]
    fields = parameters["Payload"] if "Payload" in parameters else parameters["Item"]
    paths = {path for path in leaves(fields) if path.startswith("$.")}
    assert {path.removeprefix("$.") for path in paths} <= set(get_type_hints(VerifiedEvent))


@pytest.mark.parametrize("state", ["ClaimEvent", "IgnoreEvent"])
def test_the_rows_that_the_workflow_writes_are_rows_of_events(state: str) -> None:
    item = STATES[state]["Parameters"]["Item"]
    assert names(item) - CLAIMED_WITHOUT <= set(get_type_hints(EventRow))


def test_a_dead_letter_is_the_same_whoever_writes_it() -> None:
    assert names(STATES["DeadLetter"]["Parameters"]["MessageBody"]) == set(get_type_hints(DeadLetter))


def test_a_delivery_is_what_an_execution_is_started_with() -> None:
    assert STATES["VerifyEvent"]["Parameters"]["Payload"]["delivery.$"] == "$"
    assert set(get_type_hints(Delivery)) <= set(get_type_hints(VerifiedEvent))


def leaves(value: Any) -> set[str]:
    match value:
        case dict():
            return {leaf for held in value.values() for leaf in leaves(held)}
        case str():
            return {value}
    return set()
