"""The Stripe stand-in's deliveries when they go wrong on request."""

from typing import Any

import pytest
import stripe

from local.stripe.chaos import SPACING_SECONDS, Chaos
from local.stripe.params import Raw
from tests.integration.stripe_shop import Arrival, Shop

COMPLETED = "checkout.session.completed"


def chaos(shop: Shop, **wishes: object) -> None:
    assert shop.act("PUT", "/dashboard/chaos", wishes).status_code == 200


def arrivals_after_sale(shop: Shop, count: int) -> list[Arrival]:
    shop.sell_and_pay()
    return shop.webhook.wait_for(lambda arrivals: len(arrivals) == count)


def verifies(arrival: Arrival, secret: str) -> bool:
    try:
        stripe.Webhook.construct_event(arrival.body, arrival.signature, secret)
    except stripe.SignatureVerificationError:
        return False
    return True


def test_duplicates_are_the_same_event_signed_again(shop: Shop) -> None:
    shop.subscribe(COMPLETED)
    chaos(shop, duplicate=2)
    events = shop.verified(arrivals_after_sale(shop, 3))
    assert len({event.id for event in events}) == 1


def test_reordering_swaps_events_but_loses_none(shop: Shop) -> None:
    shop.subscribe()
    chaos(shop, reorder=4, seed=2)
    arrived = [event.type for event in shop.verified(arrivals_after_sale(shop, 4))]
    in_order = shop.event_types()
    assert sorted(arrived) == sorted(in_order)
    assert arrived != in_order


def test_every_window_is_reordered_and_a_seed_repeats_what_happens() -> None:
    wish: dict[str, Raw] = {"reorder": "2", "drop": "0.5", "seed": "7"}
    one, same, other = Chaos.parse(wish), Chaos.parse(wish), Chaos.parse(wish | {"seed": "8"})
    assert [one.detour() for _ in range(6)] == [SPACING_SECONDS, 0.0] * 3
    assert [same.detour() for _ in range(6)] == [SPACING_SECONDS, 0.0] * 3
    lost, lost_too, others = ([chaos.loses_attempt() for _ in range(64)] for chaos in (one, same, other))
    assert lost == lost_too != others


def test_a_lost_attempt_is_made_again(shop: Shop) -> None:
    shop.subscribe(COMPLETED)
    chaos(shop, drop_next=2)
    [event] = shop.verified(arrivals_after_sale(shop, 1))
    attempts = shop.act("POST", f"/dashboard/events/{event.id}/resend").json()["deliveries"][0]["attempts"]
    assert [attempt["outcome"] for attempt in attempts][:2] == ["lost on the way", "lost on the way"]


def test_nothing_arrives_while_everything_is_dropped() -> None:
    with Shop(retry_base=0.1) as shop:
        shop.subscribe(COMPLETED)
        chaos(shop, drop=1)
        session = shop.sell_and_pay()
        undelivered = shop.stripe.v1.events.list({"delivery_success": False})
        assert [event.type for event in undelivered] == [COMPLETED]
        assert shop.webhook.arrivals == []
        assert shop.act("DELETE", "/dashboard/chaos").json()["drop"] == 0
        [event] = shop.received(COMPLETED)
        assert event.data.object["id"] == session.id


def test_a_wrong_key_signs_only_the_next_attempts(shop: Shop) -> None:
    shop.subscribe(COMPLETED)
    shop.webhook.answers = [400]
    chaos(shop, wrong_key=1)
    forged, genuine = arrivals_after_sale(shop, 2)
    assert (verifies(forged, shop.secret), verifies(genuine, shop.secret)) == (False, True)


@pytest.mark.parametrize(
    "wish",
    [{"duplicate": -1}, {"drop": 1.5}, {"reorder": 1}, {"delay": "soon"}, {"explode": True}, {"seed": 1.5}],
)
def test_a_wish_that_makes_no_sense_is_refused(shop: Shop, wish: dict[str, Any]) -> None:
    assert shop.act("PUT", "/dashboard/chaos", wish).status_code == 400
    shown = shop.act("GET", "/dashboard/chaos").json()
    assert (shown["duplicate"], shown["drop"], shown["reorder"]) == (0, 0, 0)
