"""What replaying events would do: the use cases of the workflow, with adapters that write nothing.

Only who vouches for an event is left out: a replay signs it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nyanko.adapters.stripe_lookups import StripeLookups
from nyanko.deliveries import Delivery
from nyanko.errors import NotOurs, Permanent
from nyanko.event_rows import APPLIED, IGNORED, PARKED, State
from nyanko.grants import Grant, Line
from nyanko.notices import NoticeContent
from nyanko.payloads import RecordInput, VerifiedEvent
from nyanko.purchases import Purchase
from nyanko.stripe_events import StripeEvent
from nyanko.use_cases.grant_items import GrantItems
from nyanko.use_cases.record_payment import record_payment
from nyanko.use_cases.verify_event import authentic_event, verify_event
from ops.dry_run_adapters import DryRunEvents, DryRunGrants, DryRunPurchases
from ops.stages import Stage
from ops.story import standing

DRY_RUN = "dry run"
"""Stands for the name of the execution, which there is none of."""


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one event; `reason` is why it would be parked."""

    event_id: str
    type: str | None
    outcome: State
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one purchase; `purchase_id` is None for events that lead to none.

    `inventory` maps item id to quantity, before.
    """

    purchase_id: str | None
    steps: list[Step]
    before: Purchase | None = None
    after: Purchase | None = None
    lines: list[Line] = field(default_factory=list)
    notices: list[NoticeContent] = field(default_factory=list)
    inventory: Mapping[str, int] = field(default_factory=dict)

    @property
    def changes(self) -> dict[str, tuple[Any, Any]]:
        """What changes, from what to what: figures of the purchase, then quantities in the inventory."""
        if self.before is None or self.after is None:
            return {}
        then = dict(self.inventory)
        for line in self.lines:
            then[line.item_id] = then.get(line.item_id, 0) + line.delta
        before = {**standing(self.before), **{item: self.inventory.get(item, 0) for item in then}}
        after = {**standing(self.after), **then}
        return {name: (before[name], after[name]) for name in after if before[name] != after[name]}


class DryRun:
    def __init__(self, stage: Stage) -> None:
        self._adapters = stage.adapters
        self._purchases = DryRunPurchases(stage.adapters.table)
        self._grant_items = GrantItems(
            purchases=self._purchases,
            grants=DryRunGrants(stage.adapters.table, self._purchases),
            events=DryRunEvents(stage.adapters.table("events")),
        )

    def __call__(self, deliveries: Sequence[Delivery], now: int) -> list[Plan]:
        """What replaying the deliveries does to each purchase, oldest event first."""
        of_nobody: list[Step] = []
        by_purchase: dict[str, list[VerifiedEvent]] = {}
        for delivery in deliveries:
            verified = self._verify(delivery, now)
            if isinstance(verified, Step):
                of_nobody.append(verified)
            else:
                by_purchase.setdefault(verified["purchase_id"], []).append(verified)
        plans = [Plan(None, of_nobody)] if of_nobody else []
        for purchase_id, events in by_purchase.items():
            in_order = sorted(events, key=lambda event: event["created"])
            plans.append(self._plan(purchase_id, in_order, now))
        return plans

    def _verify(self, delivery: Delivery, now: int) -> VerifiedEvent | Step:
        event: StripeEvent | None = None
        try:
            delivery, event = authentic_event(
                delivery,
                vouch=lambda _: None,
                events=lambda: self._adapters.events,
                stripe=self._stripe,
                now=lambda: now,
            )
            return verify_event(
                delivery,
                event,
                purchases=lambda: self._purchases,
                stripe=self._stripe,
                now=lambda: now,
                livemode=self._adapters.livemode,
            )
        except NotOurs:
            return Step(delivery["event_id"], event.type if event else None, IGNORED)
        except Permanent as error:
            return Step(delivery["event_id"], event.type if event else None, PARKED, str(error))

    def _stripe(self) -> StripeLookups:
        return self._adapters.stripe_lookups

    def _plan(self, purchase_id: str, events: Sequence[VerifiedEvent], now: int) -> Plan:
        before = self._purchases.get(purchase_id)
        results = [self._apply(event, now) for event in events]
        grants = [grant for _, grant in results if grant]
        return Plan(
            purchase_id=purchase_id,
            steps=[step for step, _ in results],
            before=before,
            after=self._purchases.get(purchase_id),
            lines=[line for grant in grants for line in grant.lines],
            notices=[grant.notice for grant in grants],
            inventory=self._adapters.inventory.of_player(before.player_id) if before else {},
        )

    def _apply(self, event: VerifiedEvent, now: int) -> tuple[Step, Grant | None]:
        event_id = event["event_id"]
        recorded = RecordInput(
            event_id=event_id,
            purchase_id=event["purchase_id"],
            session_id=event["session_id"],
            execution=DRY_RUN,
            amount=event["amount"],
            currency=event["currency"],
            facts=event["facts"],
        )
        try:
            purchase = record_payment(recorded, now, purchases=self._purchases)
        except Permanent as error:
            return Step(event_id, event["type"], PARKED, str(error)), None
        grant = self._grant_items(purchase, event_id, DRY_RUN, now)
        return Step(event_id, event["type"], APPLIED), grant
