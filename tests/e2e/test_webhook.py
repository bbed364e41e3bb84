"""The webhook over HTTP: whatever is sent, it is 400 or accepted, and never lost or a 500."""

import json

import pytest

from tests.e2e.shop import Player, Shop, session_event


@pytest.fixture
def event(player: Player) -> bytes:
    opened = player.order()
    return json.dumps(
        session_event(f"evt_{opened['purchase_id']}", opened, customer="三毛猫🐈"), ensure_ascii=False
    ).encode()


@pytest.mark.parametrize("signature", [None, "garbage"])
def test_no_signature_and_a_wrong_one_are_refused(shop: Shop, event: bytes, signature: str | None) -> None:
    headers = {"Content-Type": "application/json"} | ({"Stripe-Signature": signature} if signature else {})
    refused = shop.request("POST", f"{shop.stack.api}/stripe/webhook", event, headers)
    assert (refused.status, refused.body["error"]["code"]) == (400, "InvalidSignature")


def test_odd_spacing_and_non_ascii_text_pass_byte_for_byte(shop: Shop, player: Player) -> None:
    opened = player.order()
    event = session_event(f"evt_{opened['purchase_id']}", opened, customer="三毛猫🐈\u2028")
    body = ("\r\n " + json.dumps(event, ensure_ascii=False, indent="\t") + " \n").encode()
    assert shop.deliver(body).status == 200
    assert shop.event_state(event["id"]) == "applied"
    assert shop.event_row(event["id"])["body"] == body.decode()


def test_a_changed_byte_is_refused(shop: Shop, event: bytes) -> None:
    assert shop.deliver(event.replace(b"500", b"501", 1), shop.sign(event)).status == 400
