"""Pushing one frame to many connections, of which some are dead, slow or throttled.

    round 1   post to all ──► delivered │ gone │ not now ─┐
    round 2   wait, post to those ◄───────────────────────┘ ──► delivered │ gone │ not now ─ …

Nobody waits for another's retry, since the first round is over before any wait begins.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import uniform

from nyanko.errors import Retryable

WORKERS = 32
WAITS_SECONDS = (0.25, 0.5, 1.0)
"""Each wait is drawn between zero and this, so that pushes that were throttled together do not return
together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)."""

GIVE_UP_SECONDS = 8
"""With less time left than this nothing more is sent: one attempt may take 7 s by the client's timeouts."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """The connections by what became of them; `failed` are those that were never able to take the frame."""

    delivered: Sequence[str] = ()
    gone: Sequence[str] = ()
    failed: Sequence[str] = ()


def push(
    frame: str,
    connection_ids: Sequence[str],
    post: Callable[[str, str], bool],
    *,
    sleep: Callable[[float], None],
    seconds_left: Callable[[], float],
) -> Pushed:
    """Send the frame to every connection, again to those for which `post` raises `Retryable`.

    `post` takes a connection id and the frame, and returns False for a connection that is gone. Any other
    exception of it is raised, but not before every connection has had its attempt.
    """

    def attempt(connection_id: str) -> bool | None:
        if seconds_left() < GIVE_UP_SECONDS:
            return None
        try:
            return post(connection_id, frame)
        except Retryable:
            return None

    delivered: list[str] = []
    gone: list[str] = []
    waiting = connection_ids
    for wait in (0.0, *WAITS_SECONDS):
        if wait:
            sleep(uniform(0, wait))  # noqa: S311 spreads retries, keeps no secret
        with ThreadPoolExecutor(max_workers=WORKERS) as workers:
            attempts = [(connection_id, workers.submit(attempt, connection_id)) for connection_id in waiting]
        taken = [(connection_id, made.result()) for connection_id, made in attempts]
        delivered += [connection_id for connection_id, was_taken in taken if was_taken]
        gone += [connection_id for connection_id, was_taken in taken if was_taken is False]
        waiting = [connection_id for connection_id, was_taken in taken if was_taken is None]
        if not waiting:
            break
    return Pushed(delivered, gone, failed=waiting)
