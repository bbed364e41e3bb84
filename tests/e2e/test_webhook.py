"""The webhook over HTTP: whatever is sent, it is 400 or accepted, and never lost or a 500."""

import json
import time

import pytest

from tests.e2e.shop import Player, Shop, session_event


@pytest.fixture
def event(player: Player) -> bytes:
    opened = player.order()
    return json.dumps(
        session_event(f"evt_{opened['purchase_id']}", opened, customer="三毛猫🐈"), ensure_ascii=False
    ).encode()


@pytest.mark.parametrize("signature", ["", "garbage", "t=1,v1=00", f"t={int(time.time())},v1={'0' * 64}"])
def test_a_wrong_signature_is_refused(shop: Shop, event: bytes, signature: str) -> None:
    headers = {"Content-Type": "application/json", "Stripe-Signature": signature}
    refused = shop.request("POST", f"{shop.stack.api}/stripe/webhook", event, headers)
    assert (refused.status, refused.body["error"]["code"]) == (400, "InvalidSignature")


def test_no_signature_is_refused(shop: Shop, event: bytes) -> None:
    refused = shop.request(
        "POST", f"{shop.stack.api}/stripe/webhook", event, {"Content-Type": "application/json"}
    )
    assert (refused.status, refused.body["error"]["code"]) == (400, "InvalidSignature")


@pytest.mark.parametrize("offset", [-310, 90])
def test_an_old_or_future_signature_is_refused(shop: Shop, event: bytes, offset: int) -> None:
    assert shop.deliver(event, shop.sign(event, int(time.time()) + offset)).status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b"{}",
        b'{"object": "event"}',
        b'{"object": "v2.core.event", "id": "evt_1"}',
        b"\xff\xfe",
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(shop: Shop, body: bytes) -> None:
    refused = shop.deliver(body)
    assert (refused.status, refused.body["error"]["code"]) in [
        (400, "MalformedEvent"),
        (400, "InvalidSignature"),
    ]


def test_odd_spacing_and_non_ascii_text_pass_byte_for_byte(shop: Shop, player: Player) -> None:
    opened = player.order()
    event = session_event(f"evt_{opened['purchase_id']}", opened, customer="三毛猫🐈\u2028")
    body = ("\r\n " + json.dumps(event, ensure_ascii=False, indent="\t") + " \n").encode()
    assert shop.deliver(body).status == 200
    assert shop.event_state(event["id"]) == "applied"
    assert shop.event_row(event["id"])["body"] == body.decode()


def test_a_changed_byte_is_refused(shop: Shop, event: bytes) -> None:
    assert shop.deliver(event.replace(b"500", b"501", 1), shop.sign(event)).status == 400
