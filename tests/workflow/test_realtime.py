"""The WebSocket API in-process: tickets, what a game is told, and connections that fail."""

import json
from typing import Any

import pytest

from nyanko.composition.function import adapters
from nyanko.purchases import Purchase
from nyanko.push import WAITS_SECONDS
from nyanko.realtime import MAX_CATCH_UP
from nyanko.tickets import TICKET_SECONDS
from tests.data import MIKE, MIKES_PURCHASE, SAMPLES, player_id
from tests.stripe_events import session_event, signed
from tests.workflow.engine import Execution, Workflow

TWO_HOURS_AND_A_MARGIN = 2 * 3600 + 600


class Game:
    """A player's client on one connection."""

    def __init__(
        self, workflow: Workflow, connection_id: str = "tab=", player_id: str = MIKE.player_id
    ) -> None:
        self.connection_id = connection_id
        self._workflow = workflow
        self._player_id = player_id

    @property
    def received(self) -> list[dict[str, Any]]:
        return self._workflow.sockets.received[self.connection_id]

    @property
    def notices(self) -> list[str]:
        """The ids of the notices received, in order."""
        return [told["notice_id"] for told in self.received if told["type"] == "purchase.updated"]

    def say(self, text: str) -> list[dict[str, Any]]:
        """What this message is answered with."""
        before = len(self.received)
        self._event("MESSAGE", text)
        return self.received[before:]

    def hello(self) -> list[dict[str, Any]]:
        return self.say('{"type": "hello"}')

    def ack(self, notice_id: str) -> dict[str, Any]:
        [answer] = self.say(json.dumps({"type": "ack", "notice_id": notice_id}))
        return answer

    def connect(self) -> None:
        self._event("CONNECT", None)

    def disconnect(self) -> None:
        self._event("DISCONNECT", None)

    def _event(self, event_type: str, body: str | None) -> None:
        sample = SAMPLES["realtime"]
        context = {
            **sample["requestContext"],
            "eventType": event_type,
            "connectionId": self.connection_id,
            "authorizer": {"player_id": self._player_id},
        }
        answer = self._workflow.invoke("realtime", {**sample, "requestContext": context, "body": body})
        assert answer == {"statusCode": 200}


def pay(workflow: Workflow, purchase: Purchase) -> Execution:
    return workflow.deliver(signed(session_event("completed", purchase)))


def sell(workflow: Workflow, number: int, player_id: str = MIKE.player_id) -> Purchase:
    """A purchase of its own, a second after the one before."""
    workflow.now += 1
    return workflow.sell(f"pur_{number:032x}", player_id)


def connections(workflow: Workflow) -> set[str]:
    return {row["connection_id"] for row in workflow.rows("connections")}


def unseen(workflow: Workflow) -> list[str]:
    rows = [row for row in workflow.rows("notices") if "acknowledged_at" not in row]
    return sorted(row["notice_id"] for row in rows)


# Pushes


def test_a_purchase_is_pushed_to_every_device_of_its_player_and_to_nobody_else(workflow: Workflow) -> None:
    tab, phone = Game(workflow, "tab="), Game(workflow, "phone=")
    other = Game(workflow, "other=", player_id("tama"))
    for game in (tab, phone, other):
        assert [told["type"] for told in game.hello()] == ["welcome"]
    execution = pay(workflow, workflow.sell(quantity=3))
    assert execution.states[-1] == "NotifyPlayer"
    [told] = tab.received[1:]
    assert phone.received[1:] == [told]
    assert other.received[1:] == []
    assert (told["type"], told["purchase"]["status"]) == ("purchase.updated", "granted")
    assert told["notice_id"] == f"{workflow.now:010d}.{MIKES_PURCHASE}.2"
    assert told["inventory"] == {
        "items": [
            {"item_id": "cat_food", "quantity": 30, "owed": 0},
            {"item_id": "toy_mouse", "quantity": 3, "owed": 0},
        ]
    }


def test_the_notice_is_kept_before_anything_is_pushed(workflow: Workflow) -> None:
    Game(workflow).hello()
    kept: list[str] = []
    workflow.meanwhile_call("notify_player", "PostToConnection", lambda: kept.extend(unseen(workflow)))
    pay(workflow, workflow.sell())
    assert kept == Game(workflow).notices == unseen(workflow)


def test_of_200_connections_of_which_half_are_dead_the_living_are_told_once_and_the_dead_forgotten(
    workflow: Workflow,
) -> None:
    games = [Game(workflow, f"c{number:03}=") for number in range(200)]
    for game in games:
        adapters().connections.put(MIKE.player_id, game.connection_id, workflow.now)
    dead, alive = games[::2], games[1::2]
    workflow.sockets.dead |= {game.connection_id for game in dead}
    assert pay(workflow, workflow.sell()).status == "SUCCEEDED"
    assert [game.notices for game in alive] == [unseen(workflow)] * 100
    assert [game.notices for game in dead] == [[]] * 100
    assert connections(workflow) == {game.connection_id for game in alive}
    assert sorted(workflow.sockets.asked) == [game.connection_id for game in games]
    assert workflow.slept == []


def test_a_purchase_does_not_fail_when_no_push_arrives_and_the_next_hello_brings_it(
    workflow: Workflow,
) -> None:
    game = Game(workflow)
    game.hello()
    workflow.sockets.refusals["tab="].extend([500] * (1 + len(WAITS_SECONDS)))
    execution = pay(workflow, workflow.sell())
    assert (execution.status, execution.states[-1]) == ("SUCCEEDED", "NotifyPlayer")
    assert workflow.inventory() == {"cat_food": 30, "toy_mouse": 3}
    assert (game.notices, len(workflow.slept)) == ([], len(WAITS_SECONDS))
    game.hello()
    assert game.notices == unseen(workflow)
    assert len(game.notices) == 1


def test_a_purchase_does_not_fail_when_pushing_is_not_allowed_at_all(workflow: Workflow) -> None:
    game = Game(workflow)
    game.hello()
    workflow.sockets.refusals["tab="].append(403)
    execution = pay(workflow, workflow.sell())
    assert (execution.status, execution.states[-1]) == ("SUCCEEDED", "NotNotified")
    assert len(unseen(workflow)) == 1
    assert connections(workflow) == {"tab="}


def test_a_notice_that_was_acknowledged_is_not_pushed_again_by_another_event(workflow: Workflow) -> None:
    game = Game(workflow)
    game.hello()
    purchase = workflow.sell()
    pay(workflow, purchase)
    workflow.deliver(signed(session_event("async_payment_succeeded", purchase)))
    [first, again] = game.notices
    assert first == again
    game.ack(first)
    workflow.deliver(signed(session_event("completed", purchase) | {"id": "evt_later"}))
    assert game.notices == [first, again]


def test_a_connection_beyond_its_two_hours_is_not_tried(workflow: Workflow) -> None:
    game = Game(workflow)
    game.hello()
    [row] = workflow.rows("connections")
    assert row["expires_at"] == workflow.now + TWO_HOURS_AND_A_MARGIN
    workflow.now += TWO_HOURS_AND_A_MARGIN
    pay(workflow, workflow.sell())
    assert game.notices == []


# Catching up


def test_a_game_that_was_away_is_told_all_it_has_not_acknowledged_oldest_first(workflow: Workflow) -> None:
    for number in range(5):
        pay(workflow, sell(workflow, number))
    written = unseen(workflow)
    game = Game(workflow)
    told = game.hello()
    assert [one.get("notice_id") for one in told] == [*written, None]
    assert [one["purchase"]["purchase_id"] for one in told[:-1]] == [f"pur_{n:032x}" for n in range(5)]
    assert told[-1] == {"type": "welcome", "player_id": MIKE.player_id, "more": False}
    for notice_id in (written[1], written[3]):
        assert game.ack(notice_id) == {"type": "acked", "notice_id": notice_id}
    assert [one.get("notice_id") for one in game.hello()] == [written[0], written[2], written[4], None]


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
def test_a_purchase_around_the_moment_in_which_a_hello_reads_the_notices_is_not_missed(
    workflow: Workflow, *, after_effect: bool
) -> None:
    game, purchase = Game(workflow), workflow.sell()
    workflow.meanwhile_call("realtime", "Query", lambda: pay(workflow, purchase), after_effect=after_effect)
    game.hello()
    assert set(game.notices) == set(unseen(workflow))
    assert len(unseen(workflow)) == 1


def test_who_has_very_many_notices_gets_them_in_parts(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_CATCH_UP == 100
    monkeypatch.setattr("nyanko.use_cases.catch_up.MAX_CATCH_UP", 3)
    for number in range(7):
        pay(workflow, sell(workflow, number))
    written, game = unseen(workflow), Game(workflow)
    mores: list[bool] = []
    while len(mores) < 3:
        [*notices, welcome] = game.hello()
        mores.append(welcome["more"])
        for notice in notices:
            game.ack(notice["notice_id"])
    assert mores == [True, True, False]
    assert game.notices == written


def test_a_catch_up_that_breaks_off_says_that_there_is_more(workflow: Workflow) -> None:
    for number in range(3):
        pay(workflow, sell(workflow, number))
    game = Game(workflow)
    workflow.sockets.refusals["tab="].extend([429] * (1 + len(WAITS_SECONDS)))
    assert game.hello() == [{"type": "welcome", "player_id": MIKE.player_id, "more": True}]
    assert [told["type"] for told in game.hello()] == ["purchase.updated"] * 3 + ["welcome"]


def test_a_game_that_dies_while_it_catches_up_is_forgotten(workflow: Workflow) -> None:
    pay(workflow, workflow.sell())
    workflow.sockets.dead.add("tab=")
    Game(workflow).hello()
    assert connections(workflow) == set()
    assert len(unseen(workflow)) == 1


# Messages


def test_the_sample_is_a_hello_that_is_welcomed(workflow: Workflow) -> None:
    sample = SAMPLES["realtime"]
    assert workflow.invoke("realtime", sample) == {"statusCode": 200}
    player_id = sample["requestContext"]["authorizer"]["player_id"]
    [told] = workflow.sockets.received[sample["requestContext"]["connectionId"]]
    assert told == {"type": "welcome", "player_id": player_id, "more": False}


def test_connecting_alone_is_not_listening_and_disconnecting_ends_it(workflow: Workflow) -> None:
    game = Game(workflow)
    game.connect()
    assert connections(workflow) == set()
    game.hello()
    assert connections(workflow) == {"tab="}
    game.disconnect()
    assert connections(workflow) == set()
    pay(workflow, workflow.sell())
    assert game.notices == []


def test_a_ping_is_answered(workflow: Workflow) -> None:
    assert Game(workflow).say('{"type": "ping"}') == [{"type": "pong"}]


@pytest.mark.parametrize("text", ["", "nyan", "[]", '{"type": "$disconnect"}', '{"type": "ack"}'])
def test_a_message_that_is_none_is_answered_with_an_error_and_the_game_keeps_listening(
    workflow: Workflow, text: str
) -> None:
    game = Game(workflow)
    game.hello()
    [told] = game.say(text)
    assert (told["type"], told["error"]["code"]) == ("error", "InvalidRequest")
    assert connections(workflow) == {"tab="}


def test_nobody_acknowledges_anothers_notice(workflow: Workflow) -> None:
    pay(workflow, workflow.sell())
    [notice_id] = unseen(workflow)
    told = Game(workflow, player_id=player_id("tama")).ack(notice_id)
    assert (told["type"], told["error"]["code"]) == ("error", "NotFound")
    assert unseen(workflow) == [notice_id]


def test_a_message_that_dynamodb_cannot_serve_is_answered_with_an_error_to_try_again(
    workflow: Workflow,
) -> None:
    game = Game(workflow)
    workflow.fail_call("realtime", "PutItem", "ThrottlingException")
    [told] = game.hello()
    assert (told["type"], told["error"]["code"]) == ("error", "ServiceUnavailable")
    assert [one["type"] for one in game.hello()] == ["welcome"]


# Tickets


def issue(workflow: Workflow, player_id: str = MIKE.player_id) -> dict[str, Any]:
    sample = SAMPLES["api"]
    context = {**sample["requestContext"], "authorizer": {"player_id": player_id, "birth_month": ""}}
    request = {"httpMethod": "POST", "path": "/realtime/ticket", "body": None, "requestContext": context}
    answer = workflow.invoke("api", {**sample, **request})
    assert answer["statusCode"] == 201
    issued: dict[str, Any] = json.loads(answer["body"])
    return issued


def connect(
    workflow: Workflow, ticket: str, origin: str | None = "https://nyanko.test", **query: str
) -> str | None:
    """Whose connection it becomes; None if it is refused."""
    sample = SAMPLES["realtime_authorizer"]
    headers = {name: value for name, value in sample["headers"].items() if name != "Origin"}
    if origin is not None:
        headers["origin"] = origin
    changed = {"headers": headers, "queryStringParameters": {"ticket": ticket, **query}}
    answer = workflow.invoke("realtime_authorizer", {**sample, **changed})
    [statement] = answer["policyDocument"]["Statement"]
    assert statement["Resource"] == sample["methodArn"]
    assert (statement["Effect"] == "Allow") == bool(answer["context"]["player_id"])
    return answer["context"]["player_id"] or None


def test_a_ticket_opens_one_connection_of_its_player_and_is_stored_as_a_hash_alone(
    workflow: Workflow,
) -> None:
    issued = issue(workflow)
    assert (issued["url"], issued["expires_in"]) == ("wss://realtime.nyanko.test", TICKET_SECONDS)
    assert issued["ticket"] not in json.dumps(workflow.rows("tickets"))
    assert connect(workflow, issued["ticket"]) == MIKE.player_id
    assert connect(workflow, issued["ticket"]) is None
    assert workflow.rows("tickets") == []


def test_a_ticket_works_until_it_expires(workflow: Workflow) -> None:
    first, second = issue(workflow)["ticket"], issue(workflow)["ticket"]
    workflow.now += TICKET_SECONDS - 1
    assert connect(workflow, first, origin=None) == MIKE.player_id, "what is no browser has no origin"
    workflow.now += 1
    assert connect(workflow, second) is None
    assert connect(workflow, "an-invented-one") is None


def test_a_game_that_says_who_it_plays_for_cannot_use_anothers_ticket(workflow: Workflow) -> None:
    ticket = issue(workflow)["ticket"]
    assert connect(workflow, ticket, player_id=player_id("tama")) is None
    assert connect(workflow, ticket, player_id=MIKE.player_id) == MIKE.player_id


@pytest.mark.parametrize("origin", ["https://evil.test", "https://nyanko.test.evil.test", "null", ""])
def test_a_page_of_another_origin_neither_connects_nor_uses_up_the_ticket(
    workflow: Workflow, origin: str
) -> None:
    ticket = issue(workflow)["ticket"]
    assert connect(workflow, ticket, origin) is None
    assert connect(workflow, ticket) == MIKE.player_id
