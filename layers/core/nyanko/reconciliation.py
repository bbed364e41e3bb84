"""Comparing what Stripe has on record with what we have: whatever differs, an event must account for it.

Events are the only way in, so the comparison repairs nothing by itself. An event that is missing here is
asked for again and goes the way of every event; a difference that no event accounts for is for a person.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self

from nyanko.deliveries import FINISHED
from nyanko.executions import RUNNING
from nyanko.facts import Dispute, Facts
from nyanko.purchases import Purchase, entitled
from nyanko.readings import refund_facts

Fate = Literal["finished", "parked", "on its way", "stuck", "missing"]
"""What has become of an event of Stripe's. Stuck is one whose execution ended without finishing or parking
it; missing is one that nothing here tells of, such as a webhook that was never delivered."""

TO_BE_ASKED_FOR: frozenset[Fate] = frozenset({"stuck", "missing"})

DAY_SECONDS = 24 * 3600
WINDOW_SECONDS = DAY_SECONDS
"""How far a walk looks back at least; further if the last one ended earlier."""

MEMORY_SECONDS = 29 * DAY_SECONDS
"""A little less than Stripe lists events for (https://docs.stripe.com/api/events)."""

SETTLED_SECONDS = 15 * 60
"""How long an event may be on its way from Stripe to us before it counts as missing."""

DRIFT_SECONDS = 3 * 3600
"""How old a difference is that no walk has mended: two have passed, and whoever still waits after that long
is worth a look."""

OVERDUE_SECONDS = 10 * 60
"""How long after its time Stripe may leave a session open before we close it."""


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a reconciliation has come through what Stripe lists between two times (epoch seconds UTC):
    first the events, then the sessions, each newest first; `after` is the last one that was looked at."""

    since: int
    until: int
    listing: Literal["events", "sessions", "done"] = "events"
    after: str | None = None

    @classmethod
    def resume(cls, saved: Mapping[str, Any] | None, now: int) -> Self:
        """The walk that was interrupted, or a new one that begins no later than the last one ended."""
        if saved and saved["listing"] != "done":
            return cls(saved["since"], saved["until"], saved["listing"], saved.get("after"))
        until = now - SETTLED_SECONDS
        since = min(now - WINDOW_SECONDS, saved["until"] if saved else now)
        return cls(max(since, now - MEMORY_SECONDS), until)

    def past(self, page: Sequence[Mapping[str, Any]]) -> Self:
        """The walk after a page was looked at; an empty one ends its listing."""
        if page:
            return replace(self, after=page[-1]["id"])
        return replace(self, listing="sessions" if self.listing == "events" else "done", after=None)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def fate(row: Mapping[str, Any] | None, status: Callable[[str], str | None]) -> Fate:
    """What has become of the event with this row of `events`; `status` is of an execution by its name."""
    if row is None:
        return "missing"
    if row["state"] in FINISHED:
        return "finished"
    if row["state"] == "parked":
        return "parked"
    return "on its way" if status(row["execution"]) == RUNNING else "stuck"


@dataclass(frozen=True, slots=True)
class Truth:
    """What Stripe's objects say of one purchase; `changed_at` is when they changed last (epoch seconds UTC),
    as far as they tell."""

    purchase_id: str
    session_id: str
    facts: Facts
    changed_at: int
    expires_at: int
    open: bool


def truth(
    session: Mapping[str, Any], refunds: Iterable[Mapping[str, Any]], disputes: Iterable[Mapping[str, Any]]
) -> Truth:
    """Of a session of ours with payment and charge in place, and all refunds and disputes of the payment."""
    payment = session.get("payment_intent") or {}
    charge = payment.get("latest_charge") or {}
    refunds, disputes = list(refunds), list(disputes)
    is_paid = session["payment_status"] == "paid"
    facts = Facts(
        paid=session["amount_total"] if is_paid else 0,
        pending=session["status"] == "complete" and not is_paid,
        closed="expired" if session["status"] == "expired" else None,
        payment_intent=payment.get("id"),
        disputes={one["id"]: Dispute(one["status"], one["created"]) for one in disputes},
    )
    for refund in refunds:
        facts = facts.merge(refund_facts(refund))
    changes = [session, *([charge] if charge else []), *refunds, *disputes]
    return Truth(
        purchase_id=session["metadata"]["purchase_id"],
        session_id=session["id"],
        facts=facts,
        changed_at=max(one["created"] for one in changes),
        expires_at=session["expires_at"],
        open=session["status"] == "open",
    )


def is_ours(session: Mapping[str, Any]) -> bool:
    """Whether a session is one of our purchases, as `read` tells it of an event."""
    return session["mode"] == "payment" and isinstance((session["metadata"] or {}).get("purchase_id"), str)


@dataclass(frozen=True, slots=True)
class Case:
    """One purchase from both sides; `accounted` says that an event on its way or parked accounts for whatever
    differs. All sums are yen:

        paid - refunded - held = due = granted + owed + unexplained

    but for what is unexplained on top of it: packs that nobody paid for, refunds that only one side knows.
    """

    truth: Truth
    purchase: Purchase | None
    accounted: bool = False

    @property
    def paid(self) -> int:
        return self.truth.facts.paid

    @property
    def refunded(self) -> int:
        return min(self.truth.facts.refunded, self.paid)

    @property
    def held(self) -> int:
        """Disputed money: not ours while the dispute is open, or any more."""
        return self.paid - self.refunded if self.truth.facts.held else 0

    @property
    def due(self) -> int:
        """What items must stand for."""
        return self.paid - self.refunded - self.held

    @property
    def short(self) -> int:
        """Packs that are due by what Stripe says and not granted; negative if too many are."""
        if self.purchase is None:
            return 0
        return entitled(replace(self.purchase, facts=self.truth.facts)) - self.purchase.granted

    @property
    def gap(self) -> int:
        """What is at stake: packs by their price, or else the money that only one side knows."""
        if self.purchase is None:
            return self.due
        if self.short > 0:
            return self.due - min(self.due, self.purchase.granted * self.purchase.product.unit_amount)
        if self.short < 0:
            return -self.short * self.purchase.product.unit_amount
        ours = self.purchase.facts
        return abs(self.paid - ours.paid) + abs(self.truth.facts.refunded - ours.refunded)

    @property
    def granted(self) -> int:
        return self.due - self.gap if self.purchase is None or self.short > 0 else self.due

    @property
    def owed(self) -> int:
        """Paid and not yet granted, with the reason known."""
        return self.due - self.granted if self.accounted else 0

    @property
    def unexplained(self) -> int:
        return 0 if self.accounted else self.gap

    @property
    def differences(self) -> list[str]:
        """What differs, in words; whether somebody is to be asked, `accounted` tells."""
        if self.purchase is None:
            return [f"Stripe was paid {self.paid} for a purchase that we do not have"] if self.paid else []
        ours, theirs = self.purchase.facts, self.truth.facts
        found = []
        if theirs.paid != ours.paid:
            found.append(f"Stripe was paid {theirs.paid}, we know of {ours.paid}")
        if theirs.refunded != ours.refunded:
            found.append(f"Stripe refunded {theirs.refunded}, we know of {ours.refunded}")
        if theirs.held != ours.held:
            found.append(f"it is {'' if theirs.held else 'not '}held by a dispute at Stripe, unlike here")
        if self.short:
            granted = self.purchase.granted
            found.append(f"{granted + self.short} packs are due, {granted} are granted")
        return found


@dataclass(frozen=True, slots=True)
class Sheet:
    """The balance of many purchases in yen; `Case` says what each sum means."""

    purchases: int
    paid: int
    refunded: int
    held: int
    granted: int
    owed: int
    unexplained: int


def balance(cases: Iterable[Case]) -> Sheet:
    cases = list(cases)
    names = [each.name for each in fields(Sheet) if each.name != "purchases"]
    return Sheet(len(cases), **{name: sum(getattr(case, name) for case in cases) for name in names})
