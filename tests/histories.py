"""Histories of one purchase as the world may live them, with what they must end in.

A history knows the truth: who paid, which refund ended how, how each dispute went. From it come the events
that Stripe sends, and, in straight-line code that shares nothing with the domain, the packs that are due.
"""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from nyanko.checkout import new_purchase
from nyanko.purchases import Purchase
from tests.data import MIKE, MIKES_PURCHASE, STARTER_PACK
from tests.stripe_events import (
    NOW,
    Event,
    charge_id,
    charge_refunded,
    dispute_event,
    refund,
    refund_event,
    session_event,
)

REFUND_LIVES = [
    ["succeeded"],
    ["pending"],
    ["pending", "succeeded"],
    ["pending", "failed"],
    ["succeeded", "failed"],
    ["requires_action"],
    ["requires_action", "succeeded"],
    ["requires_action", "canceled"],
]
DISPUTE_LIVES = [
    ["warning_needs_response"],
    ["warning_needs_response", "warning_under_review", "warning_closed"],
    ["warning_needs_response", "needs_response", "lost"],
    ["needs_response"],
    ["needs_response", "under_review"],
    ["needs_response", "under_review", "won"],
    ["needs_response", "lost"],
    ["needs_response", "under_review", "lost", "appeal_under_review", "won"],
    ["needs_response", "under_review", "lost", "appeal_under_review"],
    ["prevented"],
]
PAYMENTS = {
    "card": ([("completed", "paid")], True),
    "konbini, paid": ([("completed", "unpaid"), ("async_payment_succeeded", "paid")], True),
    "konbini, failed": ([("completed", "unpaid"), ("async_payment_failed", "unpaid")], False),
    "konbini, not yet paid": ([("completed", "unpaid")], False),
    "expired": ([("expired", "unpaid")], False),
    "expired, then paid": ([("expired", "unpaid"), ("completed", "paid")], True),
    "never": ([], False),
}


@dataclass(frozen=True)
class History:
    """`events` are in the order in which things happened; `refunds` are Stripe's objects as they ended."""

    story: str
    purchase: Purchase
    events: list[Event]
    refunds: list[dict[str, Any]]
    packs: int


@st.composite
def histories(draw: st.DrawFn) -> History:
    payment = draw(st.sampled_from(sorted(PAYMENTS)))
    purchase = new_purchase(MIKES_PURCHASE, MIKE.player_id, STARTER_PACK, draw(st.integers(1, 3)), NOW)
    steps, is_paid = PAYMENTS[payment]
    events = [session_event(happened, purchase, payment_status=status) for happened, status in steps]
    refund_lives: list[tuple[int, list[str]]] = []
    dispute_lives: list[list[str]] = []
    if is_paid:
        amounts = st.integers(1, purchase.amount)
        refund_lives = draw(st.lists(st.tuples(amounts, st.sampled_from(REFUND_LIVES)), max_size=3))
        dispute_lives = draw(st.lists(st.sampled_from(DISPUTE_LIVES), max_size=2))
    ended: list[dict[str, Any]] = []
    for number, (amount, life) in enumerate(refund_lives):
        named = {"id": f"re_{number}", "amount": amount}
        for step, status in enumerate(life):
            happened = "created" if step == 0 else "failed" if status == "failed" else "updated"
            events.append(refund_event(happened, purchase, status=status, **named))
        ended.append(refund(purchase, status=life[-1], **named))
    tells_the_sum = draw(st.booleans())
    if ended and tells_the_sum:
        events.append(charge_refunded(purchase, sum(one["amount"] for one in ended)))
    for number, life in enumerate(dispute_lives):
        for step, status in enumerate(life):
            happened = "created" if step == 0 else "closed" if step == len(life) - 1 else "updated"
            events.append(dispute_event(happened, purchase, id=f"du_{number}", status=status))
    for second, one in enumerate(events):
        one |= {"id": f"evt_{second}_mike", "created": NOW + second}
    return History(
        story=f"{purchase.quantity} packs, {payment}; refunds {refund_lives}; disputes {dispute_lives}",
        purchase=purchase,
        events=events,
        refunds=ended,
        packs=due(purchase.quantity, is_paid=is_paid, refund_lives=refund_lives, dispute_lives=dispute_lives),
    )


def due(
    quantity: int,
    *,
    is_paid: bool,
    refund_lives: list[tuple[int, list[str]]],
    dispute_lives: list[list[str]],
) -> int:
    """The oracle: how many packs the player must have in the end."""
    if not is_paid:
        return 0
    for life in dispute_lives:
        if life[-1] in (
            "needs_response",
            "under_review",
            "appeal_needs_response",
            "appeal_under_review",
            "lost",
        ):
            return 0
    money = 500 * quantity
    for amount, life in refund_lives:
        if life[-1] == "succeeded":
            money -= amount
    packs = 0
    while packs < quantity and money > 500 * packs:
        packs += 1
    return packs


def charge_of(history: History) -> str:
    return charge_id(history.purchase)
