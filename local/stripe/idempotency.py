"""Idempotency keys: a call that is repeated under its key gets the first call's answer.

Rules: https://docs.stripe.com/api/idempotent_requests. The first answer is kept for 24 hours, be it a success
or a refusal. Only what was refused before the call began, for its parameters or for another call that runs
under its key, leaves no answer behind, so that the key can be used again.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from local.stripe.errors import ApiError

LIFE_SECONDS = 24 * 3600
MAX_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said: a JSON text, the id of the request that was answered, and the HTTP status."""

    body: str
    request_id: str
    status: int = 200


@dataclass(slots=True)
class _Use:
    fingerprint: str
    at: int
    answer: Answer | None = None


class IdempotencyKeys:
    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._uses: dict[str, _Use] = {}

    def once(self, key: str, fingerprint: str, run: Callable[[], Answer]) -> tuple[Answer, bool]:
        """Run the call unless the key has answered it already; the answer, and whether it is a repeated one.

        `fingerprint` stands for the call and its parameters. Raises `ApiError` (idempotency_error): 400 when
        the key was used for another call, 409 while its call is still running.
        """
        if len(key) > MAX_LENGTH:
            raise ApiError(
                f"Idempotency keys may be at most {MAX_LENGTH} characters long", type_="idempotency_error"
            )
        with self._lock:
            use = self._uses.get(key)
            if use is not None and use.at > self._now() - LIFE_SECONDS:
                return _earlier_answer(key, use, fingerprint), True
            use = self._uses[key] = _Use(fingerprint, self._now())
        try:
            use.answer = run()
        finally:
            if use.answer is None:
                with self._lock:
                    del self._uses[key]
        return use.answer, False


def _earlier_answer(key: str, use: _Use, fingerprint: str) -> Answer:
    if use.fingerprint != fingerprint:
        raise ApiError(
            "Keys for idempotent requests can only be used with the same parameters they were first used "
            f"with. Try using a key other than '{key}' if you meant to execute a different request.",
            type_="idempotency_error",
        )
    if use.answer is None:
        raise ApiError(
            f"There is currently another in-progress request using this Idempotent Key: {key}. "
            "Please try again later.",
            code="idempotency_key_in_use",
            status=409,
            type_="idempotency_error",
        )
    return use.answer
