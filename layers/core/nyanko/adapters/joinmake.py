"""The Join&make user API, as docs/joinmake.openapi.yaml assumes it."""

import json
import random
import re
import time
from collections.abc import Callable, Container
from typing import Any
from urllib.parse import quote

from nyanko.adapters.http_request import Answer, Unreachable, send
from nyanko.circuit_breaker import CircuitBreaker
from nyanko.errors import Retryable
from nyanko.players import Player

# An attempt ends with its first failure, so three timeouts stay below the authorizer's ten seconds.
TIMEOUT_SECONDS = 1.5
MAX_RETRIES = 2
RETRY_SECONDS = 0.2
USER_ID_MAX_LENGTH = 128
BIRTH_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)


class Joinmake:
    """`api_key` is asked for at every use, so that a key that was rolled needs no restart."""

    def __init__(
        self,
        url: str,
        api_key: Callable[[], str],
        breaker: CircuitBreaker,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._breaker = breaker
        self._timeout_seconds = timeout_seconds
        self._sleep = sleep
        self._uniform = uniform

    def player(self, player_id: str, now: int) -> Player:
        """The player with their Join&make user, which is created if there is none yet.

        Raises `Retryable` (`JoinmakeUnavailable`) when Join&make does not answer as agreed, after two
        retries, and at once while the circuit breaker is open. A retry begins at the beginning, since all of
        it is idempotent.
        """
        api_key = self._api_key()
        attempt = 0
        while True:
            if self._breaker.is_open:
                raise _unavailable("it failed too often and is left alone for a while")
            try:
                user = self._find_or_create(player_id, api_key)
            except Retryable:
                self._breaker.failed()
                if attempt == MAX_RETRIES:
                    raise
            else:
                self._breaker.succeeded()
                return Player(player_id, user["user_id"], user["display_name"], user["birth_month"], now)
            self._sleep(self._uniform(0, RETRY_SECONDS * 2**attempt))
            attempt += 1

    def _find_or_create(self, player_id: str, api_key: str) -> dict[str, Any]:
        path = f"/users/{quote(player_id, safe='')}"
        answer = self._call(api_key, "GET", path, {200, 404})
        if answer.status == 404:
            answer = self._call(api_key, "POST", "/users", {201, 409}, {"subject": player_id})
        if answer.status == 409:
            answer = self._call(api_key, "GET", path, {200})
        return _user(answer.body, player_id)

    def _call(
        self,
        api_key: str,
        method: str,
        path: str,
        agreed: Container[int],
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
