"""Live in the game: what becomes of purchases arrives over WebSocket, and each notice is shown once."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.websocket import Refused
from nyanko.adapters.dynamodb import from_item, to_item
from tests.e2e.game import Game, Lossy
from tests.e2e.shop import Player, Shop, eventually, session_event

STARTER_PACK = {"nyan_coin": 100, "catnip": 5, "red_ribbon": 1}
ROUNDS = 40


@pytest.fixture
def game(shop: Shop, player: Player) -> Iterator[Game]:
    """The player's game, connected and listening."""
    game = Game(shop.stack, player)
    game.connect()
    game.say({"type": "hello"})
    assert game.hear_until("welcome") == {"type": "welcome", "player_id": player.player_id, "more": False}
    yield game
    game.close()


def buy(shop: Shop, player: Player) -> str:
    """A purchase that Stripe reports as paid; its id."""
    opened = player.order()
    event = session_event(f"evt_{opened['purchase_id']}", opened)
    assert shop.deliver(json.dumps(event).encode()).status == 200
    return str(opened["purchase_id"])


def connections(shop: Shop, player: Player) -> list[str]:
    found = shop.client("dynamodb").query(
        TableName="local_jm_nyanko_connections",
        KeyConditionExpression="player_id = :player_id",
        ExpressionAttributeValues=to_item({":player_id": player.player_id}),
        ConsistentRead=True,
    )
    return [from_item(item)["connection_id"] for item in found["Items"]]


def unseen(player: Player) -> list[dict[str, Any]]:
    notices: list[dict[str, Any]] = player.get("/notices").body["notices"]
    return notices


def test_a_purchase_arrives_while_the_socket_is_open(shop: Shop, player: Player, game: Game) -> None:
    opened = player.order(quantity=2)
    assert shop.pay(opened["url"]).status == 303
    told = game.hear_until("purchase.updated")
    assert told["purchase"] == player.get(f"/purchases/{opened['purchase_id']}").body
    assert told["inventory"] == player.get("/inventory").body
    assert (told["status"], told["items"]) == ("granted", {k: 2 * count for k, count in STARTER_PACK.items()})
    assert game.hear_until("acked") == {"type": "acked", "notice_id": told["notice_id"]}
    assert unseen(player) == []


def test_a_purchase_made_while_no_socket_was_open_arrives_on_the_next_connect_once(
    shop: Shop, player: Player, game: Game
) -> None:
    game.close()
    assert eventually(lambda: connections(shop, player), lambda left: left == []) == []
    for _ in range(2):
        buy(shop, player)
    written = eventually(lambda: unseen(player), lambda notices: len(notices) == 2)
    game.connect()
    game.say({"type": "hello"})
    game.hear_until("welcome")
    while game.told[-1]["type"] != "acked" or unseen(player):
        game.hear()
    assert game.shown == [notice["notice_id"] for notice in written]
    game.close()
    game.connect()
    game.say({"type": "hello"})
    before = len(game.told)
    game.hear_until("welcome")
    assert [told["type"] for told in game.told[before:]] == ["welcome"]


def test_a_game_that_vanished_without_a_word_is_forgotten(shop: Shop, player: Player, game: Game) -> None:
    assert len(connections(shop, player)) == 1
    game.drop()
    assert eventually(lambda: connections(shop, player), lambda left: left == []) == []


# Tickets


def refused(game: Game, ticket: str | None = None, origin: str | None = None) -> int:
    with pytest.raises(Refused) as refusal:
        game.connect(ticket, origin)
    return refusal.value.status


@pytest.mark.parametrize(("ticket", "status"), [("", 401), ("x", 403), ("0" * 43, 403)])
def test_without_a_ticket_nobody_gets_in(shop: Shop, player: Player, ticket: str, status: int) -> None:
    assert refused(Game(shop.stack, player), ticket) == status


def test_a_page_of_another_origin_is_refused(shop: Shop, player: Player) -> None:
    assert refused(Game(shop.stack, player), origin="https://evil.test") == 403


def test_a_ticket_needs_a_signed_in_player(shop: Shop) -> None:
    assert shop.request("POST", f"{shop.stack.api}/realtime/ticket").status == 401


# Messages


@pytest.mark.parametrize(
    "message",
    ["nyan", "[]", {"type": "meow"}, {"type": "$disconnect"}, {"type": "$connect"}, {"type": "ack"}],
)
def test_an_unknown_message_gets_an_error_and_the_game_keeps_listening(
    shop: Shop, player: Player, game: Game, message: Any
) -> None:
    game.say(message)
    assert game.hear_until("error")["error"]["code"] == "InvalidRequest"
    game.say({"type": "ping"})
    assert game.hear_until("pong") == {"type": "pong"}
    assert len(connections(shop, player)) == 1


# A bad network


def test_with_frames_dropped_duplicated_and_reordered_each_notice_is_shown_once(
    shop: Shop, player: Player
) -> None:
    network = Lossy()
    game = Game(shop.stack, player, network)
    bought = [buy(shop, player) for _ in range(2)]
    game.catch_up(patience_seconds=0.5)
    bought += [buy(shop, player) for _ in range(2)]
    for _ in range(ROUNDS):
        game.catch_up(patience_seconds=0.5)
        if len(game.shown) >= len(bought) and not unseen(player):
            break
    assert network.happened >= {"dropped", "duplicated", "reordered"}
    assert sorted(shown.split(".")[1] for shown in game.shown) == sorted(bought)
    arrived = [told["notice_id"] for told in game.told if told["type"] == "purchase.updated"]
    assert len(arrived) > len(game.shown)
    assert unseen(player) == []
