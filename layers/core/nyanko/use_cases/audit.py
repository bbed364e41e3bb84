"""Audit a stage: Stripe's records against ours, with a balance sheet, and a finding for whatever is not as it
should be.

The comparison is that of `reconcile`, which also runs every hour. Here it looks at more: refunds and disputes
of older purchases, the ledger and the inventories, and what only we say was paid.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from nyanko.comparison import BalanceSheet, Comparison, StripePurchase, balance
from nyanko.ledger import missing_lines
from nyanko.purchases import Purchase
from nyanko.readings import purchase_named_in
from nyanko.reconciliation import LOST, EventProgress
from nyanko.use_cases.reconcile import ComparedEvent, Reconcile, is_overdue
from nyanko.use_cases.verify_ledger import verify_ledger

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_inventory import Inventory
    from nyanko.adapters.dynamodb_ledger import Ledger
    from nyanko.adapters.dynamodb_purchases import Purchases
    from nyanko.adapters.stripe_records import StripeObject


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind` is what is wrong, `about` the event, purchase or player; an explained one waits for something
    that is known. What can be repaired is an event to ask for again, or an open session to close."""

    kind: EventProgress | Literal["money", "overdue", "ledger", "inventory"]
    about: str
    text: str
    explained: bool = False
    lost_event: str | None = None
    open_session: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Of all that changed between two times (epoch seconds UTC)."""

    since: int
    until: int
    sheet: BalanceSheet
    findings: list[Finding]

    @property
    def unexplained(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.explained]

    @property
    def lost_events(self) -> list[str]:
        return [finding.lost_event for finding in self.findings if finding.lost_event]

    @property
    def open_sessions(self) -> list[str]:
        return [finding.open_session for finding in self.findings if finding.open_session]


class Audit:
    def __init__(
        self,
        reconcile: Reconcile,
        *,
        purchases: "Purchases",
        ledger: "Ledger",
        inventory: "Inventory",
    ) -> None:
        self._reconcile = reconcile
        self._stripe = reconcile.stripe
        self._purchases = purchases
        self._ledger = ledger
        self._inventory = inventory

    def __call__(
        self, since: int, now: int, settle_seconds: int, progress: Callable[[str], object] = lambda _: None
    ) -> Report:
        """Compare what Stripe knows since then; what changed in the last `settle_seconds` is on its way.

        `progress` is called with what is looked at next.
        """
        until = now - settle_seconds + 1
        progress("Stripe's events")
        findings = list(self._unfinished_events(since, until))
        progress("Stripe's sessions, refunds and disputes")
        theirs = list(self._stripe_purchases(since, now + 1))
        named = {one.purchase_id for one in theirs}
        progress("our purchases")
        ours = {one.purchase_id: one for one in self._purchases.all() if one.created_at >= since}
        missing = sorted(named - ours.keys())
        ours |= {one.purchase_id: one for one in self._purchases.get_many(missing)}
        comparisons = [self._reconcile.compared(one, ours.get(one.purchase_id), until) for one in theirs]
        for compared in comparisons:
            findings += _findings(compared, now)
        findings += [
            Finding(
                "money",
                purchase.purchase_id,
                f"we know of {purchase.facts.paid} paid, Stripe of no such session",
            )
            for purchase in ours.values()
            if purchase.facts.paid and purchase.purchase_id not in named
        ]
        progress("the ledger and the inventories")
        findings += self._books(list(ours.values()))
        return Report(since, until, balance(comparisons), findings)

    def repair(self, report: Report) -> None:
        """Ask for the events again that never came to their end, by the way that all events go, and close
        what is overdue."""
        for event_id in report.lost_events:
            self._reconcile.ask_again(event_id, report.until)
        for session_id in report.open_sessions:
            self._stripe.expire(session_id)

    def _unfinished_events(self, since: int, until: int) -> Iterator[Finding]:
        for page in _pages(lambda after: self._stripe.events(since, until, after)):
            for event in self._reconcile.compared_events(page):
                if event.progress != "finished":
                    yield _unfinished(event)

    def _stripe_purchases(self, since: int, until: int) -> Iterator[StripePurchase]:
        """Of every purchase whose session, refund or dispute was created since then."""
        seen = set()
        for page in _pages(lambda after: self._stripe.sessions(since, until, after)):
            for session in page:
                seen.add(session["id"])
                if purchase_named_in(session):
                    yield self._reconcile.stripe_purchase(session)
        for payment_intent in self._stripe.payments_changed(since):
            found = self._stripe.session_of(payment_intent)
            if found and found["id"] not in seen and purchase_named_in(found):
                yield self._reconcile.stripe_purchase(found)

    def _books(self, purchases: Iterable[Purchase]) -> Iterator[Finding]:
        """Whether purchases, ledger and inventories agree, for every player who bought something."""
        by_player: dict[str, list[Purchase]] = {}
        for purchase in purchases:
            by_player.setdefault(purchase.player_id, []).append(purchase)
        for player_id, theirs in sorted(by_player.items()):
            if not any(purchase.facts.paid for purchase in theirs):
                continue
            lines = self._ledger.of_player(player_id)
            for purchase in theirs:
                for item_id, count in missing_lines(purchase, lines).items():
                    lack = f"lack {count}" if count > 0 else f"have {-count} too many"
                    yield Finding(
                        "ledger", purchase.purchase_id, f"its lines {lack} {item_id} of {player_id}"
                    )
            for one in verify_ledger(player_id, ledger=self._ledger, inventory=self._inventory)[1]:
                yield Finding("inventory", player_id, str(one))


def _unfinished(event: ComparedEvent) -> Finding:
    said = {
        "missing": "nothing here tells of it",
        "stuck": "it was begun, and its execution ended",
        "on its way": "its execution runs",
        "parked": f"it waits for a person: {event.row.parked_reason if event.row else None}",
    }[event.progress]
    is_lost = event.progress in LOST
    return Finding(
        event.progress,
        event.event_id,
        f"{event.type}: {said}",
        explained=not is_lost,
        lost_event=event.event_id if is_lost else None,
    )


def _findings(compared: Comparison, now: int) -> Iterator[Finding]:
    stripe = compared.stripe
    if compared.differences:
        text = "; ".join(compared.differences)
        yield Finding("money", stripe.purchase_id, text, explained=compared.explained)
    if is_overdue(stripe, now):
        text = f"{stripe.session_id} is still open"
        yield Finding("overdue", stripe.purchase_id, text, open_session=stripe.session_id)


def _pages(page_after: "Callable[[str | None], list[StripeObject]]") -> "Iterator[list[StripeObject]]":
    after: Any = None
    while page := page_after(after):
        yield page
        after = page[-1]["id"]
