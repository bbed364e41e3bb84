"""What a checkout accepts, and which purchase a repeated request means."""

from dataclasses import replace
from typing import Any

import pytest

from nyanko.checkout import (
    LATEST_OPENING_SECONDS,
    Order,
    check_same_order,
    new_purchase,
    purchase_id_for,
    read_order,
)
from nyanko.errors import BadInput
from nyanko.purchases import CHECKOUT_SECONDS
from tests.data import MIKE, MIKES_PURCHASE, STARTER_PACK, player_id

NOW = 1_700_000_000
ORDER = Order("neko_starter_pack", 3)
PURCHASE = new_purchase(MIKES_PURCHASE, MIKE.player_id, STARTER_PACK, 3, NOW)


def test_an_order_names_product_and_quantity() -> None:
    assert read_order({"product_id": "neko_starter_pack", "quantity": 3}) == ORDER


def test_one_pack_is_what_no_quantity_means() -> None:
    assert read_order({"product_id": "neko_starter_pack"}).quantity == 1


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "neko_starter_pack",
        {},
        {"quantity": 1},
        {"product_id": ""},
        {"product_id": 1},
        {"product_id": "p", "quantity": 0},
        {"product_id": "p", "quantity": -1},
        {"product_id": "p", "quantity": 100},
        {"product_id": "p", "quantity": 1.0},
        {"product_id": "p", "quantity": "1"},
        {"product_id": "p", "quantity": True},
        {"product_id": "p", "quantity": None},
        {"product_id": "p", "quantity": 1, "amount": 1},
        {"product_id": "p", "quantity": 1, "unit_amount": 1, "currency": "jpy"},
    ],
)
def test_anything_else_is_refused_above_all_an_amount(body: Any) -> None:
    with pytest.raises(BadInput, match="InvalidRequest"):
        read_order(body)


def test_the_same_key_of_the_same_player_means_the_same_purchase() -> None:
    assert purchase_id_for(MIKE.player_id, "key-1") == purchase_id_for(MIKE.player_id, "key-1")


def test_another_key_or_player_means_another_purchase() -> None:
    ids = {
        purchase_id_for(player, key)
        for player in (MIKE.player_id, player_id("tama"))
        for key in ("key-1", "key-2")
    }
    assert len(ids) == 4


def test_without_a_key_every_request_is_a_purchase_of_its_own() -> None:
    assert purchase_id_for(MIKE.player_id, None) != purchase_id_for(MIKE.player_id, None)


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_without_length_or_without_end_is_refused(key: str) -> None:
    with pytest.raises(BadInput, match="Idempotency-Key"):
        purchase_id_for(MIKE.player_id, key)


def test_a_repeated_order_is_served_by_its_purchase() -> None:
    check_same_order(PURCHASE, ORDER, NOW + LATEST_OPENING_SECONDS)
    check_same_order(replace(PURCHASE, session_id="cs_test_mike"), ORDER, NOW + 10 * CHECKOUT_SECONDS)
    assert PURCHASE.amount == 1500


@pytest.mark.parametrize("other", [Order("neko_starter_pack", 2), Order("golden_can", 3)])
def test_another_order_under_the_same_key_is_refused(other: Order) -> None:
    with pytest.raises(BadInput, match="IdempotencyMismatch"):
        check_same_order(PURCHASE, other, NOW)


def test_an_order_never_opened_cannot_be_opened_when_stripe_would_refuse_its_expiry() -> None:
    too_late = NOW + LATEST_OPENING_SECONDS + 1
    assert PURCHASE.expires_at - LATEST_OPENING_SECONDS - NOW >= 30 * 60
    with pytest.raises(BadInput, match="CheckoutExpired"):
        check_same_order(PURCHASE, ORDER, too_late)
