"""The row of an event of Stripe's in the table `events`, and the four states that it can be in.

    new ─┬─► claimed ─┬─► applied   what is due is granted, in one transaction; its facts are recorded before
         │            └─► parked    it could not go on; a person looks at it, and a replay begins anew
         ├─► ignored                it says nothing of a purchase of ours
         └─► parked                 it could not even be verified, or claimed

The workflow itself claims and ignores (statemachines/payment.asl.yaml).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, Self

State = Literal["claimed", "applied", "ignored", "parked"]

CLAIMED: Final = "claimed"
APPLIED: Final = "applied"
IGNORED: Final = "ignored"
PARKED: Final = "parked"

FINISHED: frozenset[str] = frozenset({APPLIED, IGNORED})
"""States after which nothing is left to do for an event."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """What is stored of an event; times are epoch seconds UTC.

    `execution` is the newest one that claimed, parked or ignored it. `body` and `signature` are as the event
    was delivered, once VerifyEvent has believed them: ClaimEvent alone writes them. They are "" if the body
    was too large to be carried, or is other people's. `unverified_body` is of an event that was parked before
    that: to look at, and vouched for by nobody. `cause` is a sentence about why the event is parked or
    ignored, `parked_reason` one word for counting.
    """

    event_id: str
    state: State
    execution: str
    received_at: int = 0
    type: str | None = None
    created: int | None = None
    purchase_id: str | None = None
    body: str = ""
    signature: str = ""
    unverified_body: str = ""
    cause: str = ""
    parked_reason: str | None = None
    parked_at: int | None = None
    applied_at: int | None = None

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """The row of these attributes, which may be a part of it; others are passed over."""
        return cls(**{field.name: raw[field.name] for field in fields(cls) if field.name in raw})

    @property
    def is_finished(self) -> bool:
        return self.state in FINISHED

    @property
    def is_parked(self) -> bool:
        return self.state == PARKED

    @property
    def is_claimed(self) -> bool:
        return self.state == CLAIMED

    @property
    def why(self) -> str:
        """The reason and the cause of a parked event; the cause of our own errors begins with the reason."""
        if self.cause.startswith(f"{self.parked_reason}:"):
            return self.cause
        return f"{self.parked_reason}: {self.cause}"
