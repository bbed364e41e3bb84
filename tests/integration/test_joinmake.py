"""The Join&make adapter against its stand-in: found, created, raced for; and down in every way."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from flask import Flask, jsonify, request

from local.joinmake.app import create_app
from nyanko.adapters.joinmake import Joinmake
from nyanko.errors import Retryable
from nyanko.players import Player
from tests.served import served
from tests.web3auth_tokens import APP_KEY, NOW, Clock

API_KEY = "join-and-make"
OTHER_PLAYER = "0x" + "cd" * 20


class Service:
    """The stand-in, what it was asked, and an adapter of little patience."""

    def __init__(self, url: str, asked: list[str]) -> None:
        self.url = url
        self.asked = asked
        self.clock = Clock(0)
        self.api_key = API_KEY

    def adapter(self, url: str | None = None) -> Joinmake:
        return Joinmake(
            url or self.url,
            lambda: self.api_key,
            timeout_seconds=0.3,
            clock=self.clock,
        )

    def fail(self, **faults: Any) -> None:
        assert requests.put(f"{self.url}/_faults", json=faults, timeout=5).ok

    def recover(self) -> None:
        assert requests.delete(f"{self.url}/_faults", timeout=5).ok


@pytest.fixture
def joinmake() -> Iterator[Service]:
    asked: list[str] = []

    def create(_base_url: str) -> Flask:
        app = create_app(API_KEY)

        def record() -> None:
            if not request.path.startswith("/_"):
                asked.append(request.method)

        app.before_request_funcs[None].insert(0, record)
        return app

    with served(create) as url:
        yield Service(url, asked)


def failure(adapter: Joinmake, player_id: str = APP_KEY) -> Retryable:
    with pytest.raises(Retryable) as raised:
        adapter.player(player_id, NOW)
    return raised.value


def test_a_new_player_is_created_and_then_found(joinmake: Service) -> None:
    created = joinmake.adapter().player(APP_KEY, NOW)
    found = joinmake.adapter().player(APP_KEY, NOW + 5)
    assert created == Player(APP_KEY, created.joinmake_user_id, None, "1990-01", NOW)
    assert found == Player(APP_KEY, created.joinmake_user_id, None, "1990-01", NOW + 5)
    assert joinmake.asked == ["GET", "POST", "GET"]


def test_a_player_whom_another_request_created_meanwhile_is_read_again(joinmake: Service) -> None:
    first = joinmake.adapter().player(APP_KEY, NOW)
    joinmake.fail(method="GET", status=404, times=1)
    assert joinmake.adapter().player(APP_KEY, NOW) == first
    assert joinmake.asked == ["GET", "POST", "GET", "POST", "GET"]


@pytest.mark.parametrize(
    ("faults", "asked"),
    [
        ({"status": 500}, ["GET"] * 3),
        ({"status": 503, "garbage": True}, ["GET"] * 3),
        ({"status": 429}, ["GET"] * 3),
        ({"delay": 0.6}, ["GET"] * 3),
        ({"status": 500, "method": "POST"}, ["GET", "POST", "POST", "POST"]),
        ({"delay": 0.6, "method": "POST"}, ["GET", "POST", "POST", "POST"]),
        ({"status": 302}, ["GET"]),
        ({"status": 401}, ["GET"]),
        ({"garbage": True}, ["GET"]),
        ({"status": 409, "method": "GET"}, ["GET"]),
        ({"status": 404}, ["GET", "POST"]),
    ],
    ids=str,
)
def test_what_may_pass_is_retried_twice_and_then_a_new_player_is_told_to_come_later(
    joinmake: Service, faults: dict[str, Any], asked: list[str]
) -> None:
    joinmake.fail(**faults)
    error = failure(joinmake.adapter())
    assert error.code == "JoinmakeUnavailable"
    assert API_KEY not in error.message
    assert joinmake.asked == asked


def test_a_join_and_make_that_is_down_is_unavailable(joinmake: Service) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = failure(joinmake.adapter(url=f"http://127.0.0.1:{unused.getsockname()[1]}"))
    assert error.code == "JoinmakeUnavailable"
    assert "NewConnectionError" in error.message


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_fault_that_passes_is_not_noticed(joinmake: Service, method: str) -> None:
    joinmake.fail(status=500, method=method, times=2)
    assert joinmake.adapter().player(APP_KEY, NOW).player_id == APP_KEY
    assert joinmake.asked.count(method) == 3


def test_all_requests_for_a_player_have_two_retries_together() -> None:
    """Or three requests that hang three times each would take longer than the authorizer has."""
    app, asked = Flask(__name__), []

    @app.before_request
    def every_other_fails() -> Any:
        asked.append(request.method)
        return ("", [503, 404, 503, 409, 503][len(asked) - 1])

    with served(lambda _base_url: app) as url:
        assert "GET with 503" in failure(Joinmake(url, lambda: API_KEY)).message
    assert asked == ["GET", "GET", "POST", "POST", "GET"]


def test_a_creation_whose_answer_got_lost_is_found_by_the_retry(joinmake: Service) -> None:
    joinmake.fail(delay=0.6, method="POST", times=1)
    assert joinmake.adapter().player(APP_KEY, NOW).player_id == APP_KEY


@pytest.mark.parametrize(
    "user",
    [
        [],
        {},
        {"subject": APP_KEY, "display_name": None, "birth_month": None},
        {"user_id": "", "subject": APP_KEY, "display_name": None, "birth_month": None},
        {"user_id": 5, "subject": APP_KEY, "display_name": None, "birth_month": None},
        {"user_id": "j" * 129, "subject": APP_KEY, "display_name": None, "birth_month": None},
        {"user_id": "jm_1", "subject": OTHER_PLAYER, "display_name": None, "birth_month": None},
        {"user_id": "jm_1", "subject": APP_KEY, "display_name": 5, "birth_month": None},
        {"user_id": "jm_1", "subject": APP_KEY, "display_name": None},
        {"user_id": "jm_1", "subject": APP_KEY, "display_name": None, "birth_month": "2015-13"},
        {"user_id": "jm_1", "subject": APP_KEY, "display_name": None, "birth_month": 2015},
        {"user_id": "jm_1", "subject": APP_KEY},
    ],
    ids=str,
)
def test_an_answer_that_is_not_this_players_user_is_no_answer(user: Any) -> None:
    app = Flask(__name__)

    @app.get(f"/users/{APP_KEY}")
    def get_user() -> Any:
        return jsonify(user)

    with served(lambda _base_url: app) as url:
        error = failure(Joinmake(url, lambda: API_KEY))
    assert "not this player's user" in error.message


def test_only_failures_in_a_row_count(joinmake: Service) -> None:
    adapter = joinmake.adapter()
    for player in (APP_KEY, OTHER_PLAYER, APP_KEY):
        joinmake.fail(status=401, times=1)
        failure(adapter)
        assert adapter.player(player, NOW).player_id == player


def test_a_join_and_make_that_keeps_failing_is_left_alone_and_then_tried_once(joinmake: Service) -> None:
    adapter = joinmake.adapter()
    joinmake.fail(status=500)
    failure(adapter)
    failure(adapter)
    assert joinmake.asked == ["GET"] * 6
    joinmake.clock.now = 29.9
    assert "left alone" in failure(adapter).message
    assert joinmake.asked == ["GET"] * 6
    joinmake.clock.now = 30
    assert "500" in failure(adapter).message
    assert joinmake.asked == ["GET"] * 7
    joinmake.clock.now = 59.9
    assert "left alone" in failure(adapter).message
    joinmake.recover()
    joinmake.clock.now = 60
    assert adapter.player(APP_KEY, NOW).player_id == APP_KEY
    joinmake.fail(status=500, times=2)
    assert adapter.player(OTHER_PLAYER, NOW).player_id == OTHER_PLAYER
    assert joinmake.asked[7:] == ["GET", "POST", "GET", "GET", "GET", "POST"]


def test_a_key_that_was_rolled_is_used_without_a_restart(joinmake: Service) -> None:
    adapter = joinmake.adapter()
    joinmake.api_key = "old"
    assert "401" in failure(adapter).message
    joinmake.api_key = API_KEY
    assert adapter.player(APP_KEY, NOW).player_id == APP_KEY


def test_a_missing_key_is_said_at_once_and_is_not_join_and_makes_fault(joinmake: Service) -> None:
    def no_key() -> str:
        raise Retryable("NotConfigured", "no key")

    adapter = Joinmake(joinmake.url, no_key)
    assert [failure(adapter).code for _ in range(3)] == ["NotConfigured"] * 3
    assert joinmake.asked == []
