"""The Join&make user API, as docs/joinmake.openapi.yaml assumes it."""

import json
import re
import time
from collections.abc import Callable, Container
from typing import Any
from urllib.parse import quote

from urllib3 import Retry

from nyanko.adapters.http_request import Answer, Unreachable, retries, send
from nyanko.errors import Retryable
from nyanko.players import Player

# Three attempts that hang, with what is waited between them, take half of the authorizer's ten seconds.
TIMEOUT_SECONDS = 1.5
MAX_RETRIES = 2
MAX_FAILURES = 2
LEFT_ALONE_SECONDS = 30
USER_ID_MAX_LENGTH = 128
BIRTH_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)


class Joinmake:
    """`api_key` is asked for at every use, so that a key that was rolled needs no restart.

    After two failures in a row nothing is asked for half a minute, and again after each further one: while
    Join&make hangs, waiting for it would take up the account's concurrency (docs/scale.md). `clock` gives
    seconds since whenever.
    """

    def __init__(
        self,
        url: str,
        api_key: Callable[[], str],
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._failures = 0
        self._failed_at = 0.0

    def player(self, player_id: str, now: int) -> Player:
        """The player with their Join&make user, which is created if there is none yet.

        Raises `Retryable` (`JoinmakeUnavailable`) when Join&make does not answer as agreed, after two retries
        of what may pass, or none if it has just been left alone; and at once while it is.
        """
        api_key = self._api_key()
        fails = self._failures >= MAX_FAILURES
        if fails and self._clock() - self._failed_at < LEFT_ALONE_SECONDS:
            raise _unavailable("it failed too often and is left alone for a while")
        try:
            user = self._find_or_create(player_id, api_key, retries(0 if fails else MAX_RETRIES))
        except Retryable:
            self._failures += 1
            self._failed_at = self._clock()
            raise
        self._failures = 0
        return Player(player_id, user["user_id"], user["display_name"], user["birth_month"], now)

    def _find_or_create(self, player_id: str, api_key: str, left: Retry) -> dict[str, Any]:
        """All requests share the retries that are left. POST may come twice too, and then answers 409."""
        path = f"/users/{quote(player_id, safe='')}"
        answer = self._call(api_key, "GET", path, {200, 404}, left)
        if answer.status == 404:
            new_user = {"subject": player_id}
            answer = self._call(api_key, "POST", "/users", {201, 409}, answer.retries, new_user)
        if answer.status == 409:
            answer = self._call(api_key, "GET", path, {200}, answer.retries)
        return _user(answer.body, player_id)

    def _call(
        self,
        api_key: str,
        method: str,
        path: str,
        agreed: Container[int],
        left: Retry,
        body: dict[str, str] | None = None,
    ) -> Answer:
        headers = {"X-Api-Key": api_key, "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            answer = send(
                method,
                self._url + path,
                self._timeout_seconds,
                headers,
                None if body is None else json.dumps(body).encode(),
                left,
            )
        except Unreachable as error:
            raise _unavailable(str(error)) from error
        if answer.status not in agreed:
            raise _unavailable(f"it answered {method} with {answer.status}")
        return answer


def _user(body: bytes, player_id: str) -> dict[str, Any]:
    try:
        user = json.loads(body)
    except (ValueError, RecursionError):
        raise _unavailable("it answered with something that is not JSON") from None
    match user:
        case {
            "user_id": str(user_id),
            "subject": str(subject),
            "display_name": str() | None,
            "birth_month": str() | None as birth_month,
        }:
            month_is_known = birth_month is None or BIRTH_MONTH.fullmatch(birth_month)
            if subject == player_id and 0 < len(user_id) <= USER_ID_MAX_LENGTH and month_is_known:
                return {name: user[name] for name in ("user_id", "display_name", "birth_month")}
    raise _unavailable("it answered with something that is not this player's user")


def _unavailable(reason: str) -> Retryable:
    return Retryable("JoinmakeUnavailable", f"Join&make is unavailable: {reason}")
