"""Every state of the happy way × every way to fail × what may happen to a purchase.

Each cell lets one state fail while one event of a history is on its way. What is then parked is delivered
again, as Stripe or an operator would, and the purchase must end as if nothing had failed.

`make test` tries each state with each fault once, on a history that changes from cell to cell; `make matrix`
tries all of them.
"""

from collections.abc import Callable
from itertools import product

import pytest

from nyanko.deliveries import Delivery
from nyanko.purchases import Purchase
from tests.data import MIKES_PURCHASE, STARTER_PACK
from tests.stripe_events import Event, dispute_event, refund_event, session_event, signed
from tests.workflow.engine import Execution, Workflow

PACKS = 3
ALWAYS = {"ClaimEvent": 31, "NotifyPlayer": 4}
"""As often as a state is tried after the error below: once, and its retries; nine times unless named."""

STATES = ["VerifyEvent", "ClaimEvent", "RecordPayment", "GrantItems", "NotifyPlayer"]
Fault = Callable[[Workflow, str, Delivery], None]


def _twice(workflow: Workflow, state: str, delivery: Delivery) -> None:
    """A second execution of the same event runs through while this one stands in the state."""
    workflow.meanwhile(state, lambda: workflow.start(delivery, f"{delivery['event_id']}-beside"))


FAULTS: dict[str, Fault] = {
    "fails before its effect": lambda workflow, state, _: workflow.fail(state, error_of(state)),
    "fails after its effect": lambda workflow, state, _: workflow.fail_after_effect(state, error_of(state)),
    "times out": lambda workflow, state, _: workflow.timeout(state),
    "runs twice": _twice,
    "always fails": lambda workflow, state, _: workflow.fail(state, error_of(state), times=tries(state)),
    "always fails after its effect": lambda workflow, state, _: workflow.fail_after_effect(
        state, error_of(state), times=tries(state)
    ),
}

Told = Callable[[Purchase], Event]
HISTORIES: dict[str, tuple[list[Told], int]] = {
    "paid by card": ([lambda one: session_event("completed", one)], 3),
    "paid at a konbini": (
        [
            lambda one: session_event("completed", one, payment_status="unpaid"),
            lambda one: session_event("async_payment_succeeded", one),
        ],
        3,
    ),
    "refunded before it was paid": (
        [
            lambda one: refund_event("created", one, amount=500),
            lambda one: session_event("completed", one),
        ],
        2,
    ),
    "paid and wholly refunded": (
        [lambda one: session_event("completed", one), lambda one: refund_event("created", one)],
        0,
    ),
    "expired, then paid": (
        [
            lambda one: session_event("expired", one, payment_status="unpaid", payment_intent=None),
            lambda one: session_event("completed", one),
        ],
        3,
    ),
    "disputed and won": (
        [
            lambda one: session_event("completed", one),
            lambda one: dispute_event("created", one),
            lambda one: dispute_event("closed", one, status="won"),
        ],
        3,
    ),
    "never paid": ([lambda one: session_event("completed", one, payment_status="unpaid")], 0),
}
CELLS = [
    (history, number, state, fault)
    for (history, (told, _)), state, fault in product(HISTORIES.items(), STATES, FAULTS)
    # The fault hits the first event of a history, or its last: in the middle nothing else can happen.
    for number in sorted({0, len(told) - 1})
]


EVERYDAY = [
    next(cell for cell in CELLS if cell[0] == list(HISTORIES)[turn % len(HISTORIES)] and cell[2:] == pair)
    for turn, pair in enumerate(product(STATES, FAULTS))
]
MATRIX = [cell if cell in EVERYDAY else pytest.param(*cell, marks=pytest.mark.slow) for cell in CELLS]


def error_of(state: str) -> str:
    return "DynamoDB.AmazonDynamoDBException" if state == "ClaimEvent" else "Lambda.Unknown"


def tries(state: str) -> int:
    return ALWAYS.get(state, 9)


@pytest.mark.parametrize(("history", "number", "state", "fault"), MATRIX)
def test_it_ends_as_if_nothing_had_failed(
    workflow: Workflow, history: str, number: int, state: str, fault: str
) -> None:
    told, packs = HISTORIES[history]
    purchase = workflow.sell(quantity=PACKS)
    workflow.stripe_api.sessions["pi_mike"] = [
        {"id": "cs_test_mike", "mode": "payment", "metadata": {"purchase_id": MIKES_PURCHASE}}
    ]
    deliveries = [signed(tell(purchase)) for tell in told]
    for position, delivery in enumerate(deliveries):
        if position == number:
            FAULTS[fault](workflow, state, delivery)
        execution = workflow.deliver(delivery)
        assert_failure_is_visible(workflow, execution, delivery["event_id"])
        assert_books_balance(workflow)
    for delivery in deliveries:
        workflow.deliver({**delivery, "received_at": delivery["received_at"] + 60})
    assert_books_balance(workflow)
    assert workflow.purchase().granted == packs
    assert {item_id: count for item_id, count in workflow.inventory().items() if count} == {
        item_id: count * packs for item_id, count in STARTER_PACK.items.items() if packs
    }
    assert {row["state"] for row in workflow.rows("events")} == {"applied"}


def assert_failure_is_visible(workflow: Workflow, execution: Execution, event_id: str) -> None:
    """Whoever did not succeed is parked and rings, unless its work was done and only the answer was lost."""
    letters = [letter["event_id"] for letter in workflow.dead_letters()]
    if execution.status == "SUCCEEDED":
        assert letters == []
        return
    state = workflow.event_row(event_id)["state"]
    assert (state, letters) in [("parked", [event_id]), ("applied", [])]


def assert_books_balance(workflow: Workflow) -> None:
    assert workflow.inventory() == workflow.ledger()
    purchase = workflow.purchase()
    assert 0 <= purchase.granted <= PACKS
    assert purchase.granted == 0 or purchase.facts.paid == purchase.amount


def test_every_state_of_the_happy_way_is_tried(workflow: Workflow) -> None:
    passed = workflow.deliver(signed(session_event("completed", workflow.sell()))).states
    assert passed == STATES
    assert {(state, fault) for _, _, state, fault in EVERYDAY} == set(product(STATES, FAULTS))
    assert {history for history, *_ in EVERYDAY} == set(HISTORIES)
