"""The table `events`: one row for each event of Stripe's; `event_rows` has its states.

The workflow itself claims and ignores (statemachines/payment.asl.yaml). The grant's transaction applies, or
`Events.apply` when nothing is to be granted.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from nyanko.adapters.dynamodb_table import ConditionFailed, Table
from nyanko.event_rows import APPLIED, IGNORED, PARKED, EventRow, State

if TYPE_CHECKING:
    from nyanko.payloads import ParkInput
    from nyanko.stripe_events import StripeEvent

EVENT_IS_NOT_FINISHED = "attribute_not_exists(event_id) OR NOT #state IN (:applied, :ignored)"
EVENT_EXISTS = "attribute_exists(event_id)"
EVENT_WAS_NEVER_CLAIMED = f"{EVENT_IS_NOT_FINISHED} AND attribute_not_exists(body)"
"""AND binds closer than OR, and what does not exist has no body
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html)."""
APPLY = "SET #state = :applied, purchase_id = :purchase_id, applied_at = :now REMOVE parked_reason, parked_at"
STATE = {"#state": "state"}


class Events:
    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, event_id: str) -> EventRow | None:
        row = self._table.get({"event_id": event_id})
        return EventRow.from_dict(row) if row else None

    def state(self, event_id: str) -> State | None:
        """The state of an event as of a moment ago; a finished one cannot become unfinished again."""
        row = self._table.get(
            {"event_id": event_id},
            consistent=False,
            ProjectionExpression="#state",
            ExpressionAttributeNames=STATE,
        )
        return row["state"] if row else None

    def get_many(self, event_ids: Sequence[str]) -> dict[str, EventRow]:
        """Of those events that have a row: its state and execution, and why it is parked, by event id. The
        bodies stay where they are."""
        rows = self._table.get_many(
            [{"event_id": event_id} for event_id in event_ids],
            ProjectionExpression="event_id, #state, execution, purchase_id, parked_reason",
            ExpressionAttributeNames=STATE,
        )
        return {row["event_id"]: EventRow.from_dict(row) for row in rows}

    def unfinished(self, event_ids: Sequence[str]) -> list[str]:
        """Those of the events that are neither finished nor parked."""
        rows = self.get_many(event_ids)
        return [event_id for event_id in event_ids if event_id not in rows or rows[event_id].is_claimed]

    def ids_of_purchase(self, purchase_id: str) -> list[str]:
        """The events that are known to be about a purchase, oldest first."""
        rows = self._table.query(
            "purchase_id = :purchase_id", {"purchase_id": purchase_id}, IndexName="by_purchase"
        )
        return [row["event_id"] for row in rows]

    def parked_ids(self) -> list[str]:
        """The events that are parked, by the sparse index that holds no others and follows a moment later."""
        return [row["event_id"] for row in self._table.scan(IndexName="parked")]

    def apply(self, event_id: str, purchase_id: str, now: int) -> None:
        """Mark an event as applied whose facts change nothing in the inventory."""
        self._table.update(
            {"event_id": event_id},
            APPLY,
            {"applied": APPLIED, "purchase_id": purchase_id, "now": now},
            condition=EVENT_EXISTS,
            names=STATE,
        )

    def park(
        self,
        failed: "ParkInput",
        reason: str,
        cause: str,
        event: "StripeEvent | None",
        purchase_id: str | None,
        now: int,
    ) -> bool:
        """Set the event aside with its reason; False if it was finished meanwhile and nothing is parked.

        A claimed event keeps the body, signature and time that it was claimed with. Of any other the body is
        kept as what it is, unverified: nothing that a replay vouches for. A parked event never expires.
        `event` and `purchase_id` are what else is known of it.
        """
        about = {
            "received_at": failed["received_at"],
            "purchase_id": purchase_id,
            "type": event.type if event else None,
            "created": event.created if event else None,
        }
        known = {name: value for name, value in about.items() if value is not None}
        keep_known = "".join(f", #{name} = if_not_exists(#{name}, :{name})" for name in known)
        unverified = {"unverified_body": failed["body"], "unverified_signature": failed["signature"]}
        keep_unverified = "".join(f", {name} = :{name}" for name in unverified)
        parked = {
            "parked": PARKED,
            "applied": APPLIED,
            "ignored": IGNORED,
            "reason": reason,
            "cause": cause,
            "execution": failed["execution"],
            "now": now,
            **known,
        }
        attempts: tuple[tuple[str, Mapping[str, str], str], ...] = (
            (keep_unverified, unverified, EVENT_WAS_NEVER_CLAIMED),
            ("", {}, EVENT_IS_NOT_FINISHED),
        )
        for keep, body, condition in attempts:
            with suppress(ConditionFailed):
                self._table.update(
                    {"event_id": failed["event_id"]},
                    "SET #state = :parked, parked_reason = :reason, parked_at = :now, cause = :cause, "
                    f"execution = :execution{keep_known}{keep} REMOVE expires_at",
                    {**parked, **body},
                    condition=condition,
                    names={**STATE, **{f"#{name}": name for name in known}},
                )
                return True
        return False
