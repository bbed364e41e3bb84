"""Pushing to many connections, of which some are dead, slow or throttled."""

from collections import defaultdict
from collections.abc import Mapping
from threading import Event

import pytest

from nyanko.errors import Retryable
from nyanko.push import GIVE_UP_SECONDS, WAITS_SECONDS, Pushed, push

ATTEMPTS = 1 + len(WAITS_SECONDS)
PATIENCE_SECONDS = 30


class Gateway:
    """Each connection is `gone`, or throttled for as many posts as `throttled` says, or takes the frame."""

    def __init__(
        self, *, gone: frozenset[str] = frozenset(), throttled: Mapping[str, int] | None = None
    ) -> None:
        self.gone = gone
        self.throttled = dict(throttled or {})
        self.posts: list[str] = []

    def post(self, connection_id: str, _frame: str) -> bool:
        self.posts.append(connection_id)
        if self.throttled.get(connection_id, 0) > 0:
            self.throttled[connection_id] -= 1
            raise Retryable("ServiceUnavailable", "API Gateway answered 429")
        return connection_id not in self.gone


def pushed(
    gateway: Gateway, *connection_ids: str, slept: list[float] | None = None, seconds_left: float = 15
) -> Pushed:
    waits: list[float] = [] if slept is None else slept
    return push("{}", connection_ids, gateway.post, sleep=waits.append, seconds_left=lambda: seconds_left)


def never(seconds: float) -> None:
    raise AssertionError(f"nothing had to be waited for, and {seconds} s were")


def test_nobody_listening_is_nothing_to_do() -> None:
    assert pushed(Gateway()) == Pushed([], [], [])


def test_each_connection_is_told_once_and_the_gone_are_named() -> None:
    gateway = Gateway(gone=frozenset({"b", "d"}))
    told = pushed(gateway, "a", "b", "c", "d")
    assert told == Pushed(delivered=["a", "c"], gone=["b", "d"], failed=[])
    assert sorted(gateway.posts) == ["a", "b", "c", "d"]


def test_what_is_throttled_is_tried_again_and_nothing_else() -> None:
    slept: list[float] = []
    gateway = Gateway(throttled={"b": 2})
    told = pushed(gateway, "a", "b", "c", slept=slept)
    assert told == Pushed(delivered=["a", "c", "b"], gone=[], failed=[])
    assert {each: gateway.posts.count(each) for each in "abc"} == {"a": 1, "b": 3, "c": 1}
    assert len(slept) == 2


def test_waits_grow_and_are_drawn_below_their_limits() -> None:
    drawn: defaultdict[int, list[float]] = defaultdict(list)
    for _ in range(200):
        slept: list[float] = []
        assert pushed(Gateway(throttled={"a": ATTEMPTS}), "a", slept=slept).failed == ["a"]
        assert len(slept) == len(WAITS_SECONDS)
        for number, wait in enumerate(slept):
            drawn[number].append(wait)
    for number, limit in enumerate(WAITS_SECONDS):
        assert limit / 2 < max(drawn[number]) <= limit
        assert 0 <= min(drawn[number]) < limit / 2


def test_the_first_wait_comes_after_everybody_had_their_turn() -> None:
    gateway = Gateway(throttled={f"throttled_{number}": 1 for number in range(100)})
    connection_ids = [name for number in range(100) for name in (f"throttled_{number}", f"open_{number}")]
    posts_before_the_wait: list[int] = []
    told = push(
        "{}",
        connection_ids,
        gateway.post,
        sleep=lambda _: posts_before_the_wait.append(len(gateway.posts)),
        seconds_left=lambda: 15,
    )
    assert posts_before_the_wait == [200]
    assert len(told.delivered) == 200


def test_a_connection_that_hangs_delays_no_other() -> None:
    others_told = Event()
    told: list[str] = []

    def post(connection_id: str, _frame: str) -> bool:
        if connection_id == "hangs":
            return others_told.wait(PATIENCE_SECONDS)
        told.append(connection_id)
        if len(told) == 100:
            others_told.set()
        return True

    others = [f"open_{number}" for number in range(100)]
    result = push("{}", ["hangs", *others], post, sleep=never, seconds_left=lambda: 15)
    assert result.delivered == ["hangs", *others]


def test_without_time_nothing_more_is_sent() -> None:
    gateway = Gateway()
    assert pushed(gateway, "a", seconds_left=GIVE_UP_SECONDS - 0.1) == Pushed([], [], failed=["a"])
    assert gateway.posts == []


def test_an_error_that_is_not_the_connections_is_raised_once_all_had_their_turn() -> None:
    told: list[str] = []
    others = [f"open_{number}" for number in range(99)]

    def post(connection_id: str, _frame: str) -> bool:
        if connection_id == "a":
            raise PermissionError("execute-api:ManageConnections")
        told.append(connection_id)
        return True

    with pytest.raises(PermissionError):
        push("{}", ["a", *others], post, sleep=never, seconds_left=lambda: 15)
    assert sorted(told) == sorted(others)
