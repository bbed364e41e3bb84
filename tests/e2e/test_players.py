"""Players: who they are, what they may spend, and that one can neither see nor touch what is another's."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.shop import Answer, Player, Shop, eventually, session_event
from tests.openapi import OPERATIONS

STARTER_PACK = {"nyan_coin": 100, "catnip": 5, "red_ribbon": 1}


@pytest.fixture
def rich(shop: Shop, player: Player) -> Player:
    """A player who holds a starter pack and has been told so."""
    opened = player.order()
    shop.deliver(json.dumps(session_event(f"evt_{opened['purchase_id']}", opened)).encode())
    assert player.status_becomes(opened["purchase_id"], "granted")
    assert eventually(lambda: player.get("/notices").body["notices"], bool)
    return player


def test_a_player_is_who_joinmake_says(shop: Shop, player: Player) -> None:
    shown = player.get("/me")
    assert (shown.status, shown.body["player_id"]) == (200, player.player_id)
    known = shop.request(
        "GET", f"{shop.stack.joinmake}/users/{player.player_id}", None, {"X-Api-Key": "local-joinmake"}
    )
    assert shown.body["joinmake_user_id"] == known.body["user_id"]


def test_when_joinmake_is_down_the_known_play_on_and_the_new_are_asked_to_come_back(
    shop: Shop, player: Player
) -> None:
    assert player.get("/me").status == 200
    faults = f"{shop.stack.joinmake}/_faults"
    shop.request("PUT", faults, b'{"status": 500}', {"Content-Type": "application/json"})
    try:
        assert player.get("/inventory").status == 200
        newcomer = Player(shop, f"tora {uuid4().hex}")
        refused = newcomer.get("/inventory")
        assert (refused.status, refused.body["error"]["code"]) == (503, "ServiceUnavailable")
        assert int(refused.headers["Retry-After"]) > 0
    finally:
        shop.request("DELETE", faults)
    # The authorizer may still leave Join&make alone for a while.
    assert eventually(lambda: newcomer.get("/inventory").status, lambda status: status == 200) == 200


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer not.a.token", "Basic bWlrZQ==", "Bearer caf\u00e9"])
def test_no_valid_token_no_entry(shop: Shop, token: str) -> None:
    headers = {"Authorization": token} if token else {}
    refused = shop.request("GET", f"{shop.stack.api}/inventory", None, headers)
    assert (refused.status, refused.body["error"]["code"]) == (401, "Unauthorized")


def test_another_player_reaches_nothing_by_any_route_or_parameter(shop: Shop, rich: Player) -> None:
    other = Player(shop, f"tama {uuid4().hex}")
    [purchase] = rich.get("/purchases").body["purchases"]
    [notice] = rich.get("/notices").body["notices"]
    theirs = {
        "purchase_id": purchase["purchase_id"],
        "notice_id": notice["notice_id"],
        "item_id": "nyan_coin",
        "player_id": rich.player_id,
        "cursor": "WyJwdXJfMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAiLCAxODAwMDAwMDAwXQ==",
    }
    query = f"player_id={rich.player_id}&subject={rich.player_id}"
    for method, path in sorted(OPERATIONS):
        if "security" in OPERATIONS[method, path]:
            continue
        url = path.format_map(theirs)
        answers = [
            ask(other, method, f"{url}?{query}", {**theirs, "count": 1, "spend_id": "steal"}),
            ask(other, method, f"{url}?{query}&cursor={theirs['cursor']}", {"count": 1, "spend_id": "steal"}),
        ]
        for answer in answers:
            seen = json.dumps(answer.body)
            assert answer.status in {200, 201, 400, 404, 409}, (path, answer)
            assert rich.player_id not in seen, path
            assert "nyan_coin" not in seen or answer.status != 200, path
            assert purchase["purchase_id"] not in seen or answer.status == 404, path
    assert rich.items() == STARTER_PACK
    assert [one["notice_id"] for one in rich.get("/notices").body["notices"]] == [notice["notice_id"]]
    assert len(shop.ledger(rich.player_id)) == len(STARTER_PACK)
    assert shop.ledger(other.player_id) == []


def ask(player: Player, method: str, path: str, body: dict[str, Any]) -> Answer:
    return player.get(path) if method == "GET" else player.post(path, body)


def test_of_two_hundred_spends_from_a_hundred_exactly_a_hundred_succeed(shop: Shop, rich: Player) -> None:
    def spend(number: int) -> int:
        answered = rich.post("/inventory/nyan_coin/spend", {"spend_id": f"feed-{number}", "count": 1})
        while answered.status == 503:
            answered = rich.post("/inventory/nyan_coin/spend", {"spend_id": f"feed-{number}", "count": 1})
        return answered.status

    with ThreadPoolExecutor(8) as paws:
        answers = list(paws.map(spend, range(200)))
    assert (answers.count(200), answers.count(409)) == (100, 100)
    coins = [line["delta"] for line in shop.ledger(rich.player_id) if line["item_id"] == "nyan_coin"]
    assert (sum(coins), len(coins), rich.items()["nyan_coin"]) == (0, 101, 0)


def test_items_taken_back_after_they_were_spent_are_owed_and_paid_off_first(
    shop: Shop, player: Player
) -> None:
    opened = player.order(quantity=3)
    shop.pay(opened["url"])
    assert player.status_becomes(opened["purchase_id"], "granted")
    assert player.post("/inventory/nyan_coin/spend", {"spend_id": "feast", "count": 250}).status == 200
    shop.dashboard(f"charges/{shop.charge(opened['session_id'])}/refunds")
    owing = {**dict.fromkeys(STARTER_PACK, 0), "nyan_coin": -250}
    assert eventually(player.items, lambda items: items == owing) == owing
    refused = player.post("/inventory/nyan_coin/spend", {"spend_id": "more", "count": 1})
    assert (refused.status, refused.body["error"]["owed"]) == (409, 250)
    again = player.order(quantity=3)
    shop.pay(again["url"])
    paid_off = {item_id: 3 * count for item_id, count in STARTER_PACK.items()} | {"nyan_coin": 50}
    assert eventually(player.items, lambda items: items == paid_off) == paid_off
    assert player.post("/inventory/nyan_coin/spend", {"spend_id": "more", "count": 50}).status == 200


def test_a_child_may_spend_so_much_in_a_month_and_a_closed_session_gives_it_back(
    shop: Shop, player: Player
) -> None:
    stated = shop.request(
        "PUT",
        f"{shop.stack.joinmake}/_users/{player.player_id}",
        b'{"birth_month": "2015-04"}',
        {"Content-Type": "application/json"},
    )
    assert stated.status == 200
    opened = player.order("churu_party", 5)
    refused = player.post("/checkout", {"product_id": "churu_party"})
    assert (refused.status, refused.body["error"]["code"]) == (409, "LimitReached")
    assert (refused.body["error"]["limit"], refused.body["error"]["left"]) == (5000, 100)
    headers = {"Authorization": "Bearer sk_test_local", "Content-Type": "application/x-www-form-urlencoded"}
    expired = shop.request(
        "POST", f"{shop.stack.stripe}/v1/checkout/sessions/{opened['session_id']}/expire", b"", headers
    )
    assert (expired.status, expired.body["status"]) == (200, "expired")
    assert player.status_becomes(opened["purchase_id"], "expired")
    assert player.post("/checkout", {"product_id": "churu_party"}).status == 201
