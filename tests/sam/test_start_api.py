"""`sam local start-api` serves the REST routes behind their authorizer, in containers and without."""

import json

import pytest

from tests.data import purchase_id
from tests.e2e.shop import Player, Shop, session_event

pytestmark = pytest.mark.timeout(600)


def test_a_player_is_let_in_with_a_token_and_nobody_without(shop: Shop, player: Player) -> None:
    assert shop.request("GET", f"{shop.stack.api}/me").status == 401
    answered = player.get("/me")
    assert (answered.status, answered.body["player_id"]) == (200, player.player_id)


def test_a_checkout_opens_a_session_that_a_buyer_can_pay(shop: Shop, player: Player) -> None:
    opened = player.order(quantity=2)
    session = shop.stripe(f"/v1/checkout/sessions/{opened['session_id']}")
    assert (session["amount_total"], session["status"]) == (opened["amount"], "open")
    assert session["client_reference_id"] == opened["purchase_id"]
    assert opened["url"].startswith(shop.stack.stripe)
    shop.pay(opened["url"])
    assert player.status_becomes(opened["purchase_id"], "granted")


def test_a_webhook_passes_byte_for_byte(shop: Shop, player: Player) -> None:
    event = session_event("evt_sam_odd", player.order(), custom_text="三毛猫 🐈 \u3000ﾆｬｰ")
    body = json.dumps(event, indent=3, ensure_ascii=False).replace("\n", " \r\n\t").encode() + b"\n\n "
    answered = shop.deliver(body)
    assert (answered.status, answered.body) == (200, {"received": True})
    assert shop.event_state("evt_sam_odd") == "applied"
    assert shop.event_row("evt_sam_odd")["body"].encode() == body


def test_a_webhook_with_a_changed_byte_is_refused(shop: Shop, player: Player) -> None:
    body = json.dumps(session_event("evt_sam_changed", player.order()), ensure_ascii=False).encode()
    signature = shop.sign(body)
    answered = shop.deliver(body.replace(b'"paid"', b'"pa1d"'), signature)
    assert (answered.status, answered.body["error"]["code"]) == (400, "InvalidSignature")
    assert shop.deliver(body + b" ", signature).status == 400
    assert shop.event_row("evt_sam_changed") == {}


def test_every_route_is_served(shop: Shop, player: Player) -> None:
    """A route that is not there is answered by SAM CLI itself, with 403."""
    assert shop.request("GET", f"{shop.stack.api}/nowhere").status == 403
    unknown = f"/purchases/{purchase_id('none')}"
    routes = ("/health", "/products", "/purchases", unknown, "/inventory", "/notices")
    assert [player.get(route).status for route in routes] == [200, 200, 200, 404, 200, 200]
    assert player.post("/inventory/nothing/spend", {"count": 1, "spend_id": "none"}).status == 409
    assert player.post("/notices/none/ack", {}).status == 404
    assert player.post("/realtime/ticket", {}).body["url"] == shop.stack.ws
