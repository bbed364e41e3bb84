"""Stripe's records against ours: a balance sheet, and a finding for whatever is not as it should be.

The comparison is that of `nyanko.reconciliation`, which also runs every hour. Here it looks at more: refunds
and disputes of older purchases, the ledger and the inventories, and what only we say was paid.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nyanko.deliveries import by_id
from nyanko.reconciliation import (
    OVERDUE_SECONDS,
    TO_BE_ASKED_FOR,
    Case,
    Fate,
    Sheet,
    Truth,
    balance,
    fate,
    is_ours,
    truth,
)
from ops import ledger, tables
from ops.stages import Stage

StripeObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind` is what is wrong, `about` the event, purchase or player; an explained one waits for something
    that is known. `repair` is the event to ask for again, or the session to close."""

    kind: str
    about: str
    text: str
    explained: bool = False
    repair: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    since: int
    until: int
    sheet: Sheet
    findings: list[Finding]

    @property
    def unexplained(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.explained]


def compare(
    stage: Stage, since: int, now: int, settle: int, progress: Callable[[str], object] = lambda _: None
) -> Report:
    """Compare what Stripe knows since then; what changed in the last `settle` seconds is on its way."""
    until = now - settle + 1
    progress("Stripe's events")
    findings = list(_events(stage, since, until))
    progress("Stripe's sessions, refunds and disputes")
    truths = {one.purchase_id: one for one in _truths(stage, since, now + 1)}
    progress("our purchases")
    ours = {one.purchase_id: one for one in tables.purchases(stage) if one.created_at >= since}
    ours |= {one.purchase_id: one for one in stage.purchases.get_many(sorted(truths.keys() - ours.keys()))}
    cases = []
    for one in truths.values():
        case = Case(one, ours.get(one.purchase_id))
        if case.differences:
            case = replace(case, accounted=one.changed_at >= until or _is_accounted(stage, one.purchase_id))
            findings.append(
                Finding("money", one.purchase_id, "; ".join(case.differences), explained=case.accounted)
            )
        if one.open and now > one.expires_at + OVERDUE_SECONDS:
            findings.append(
                Finding("overdue", one.purchase_id, f"{one.session_id} is still open", repair=one.session_id)
            )
        cases.append(case)
    findings += [
        Finding(
            "money", purchase.purchase_id, f"we know of {purchase.facts.paid} paid, Stripe of no such session"
        )
        for purchase in ours.values()
        if purchase.facts.paid and purchase.purchase_id not in truths
    ]
    progress("the ledger and the inventories")
    findings += _books(stage, list(ours.values()))
    return Report(since, until, balance(cases), findings)


def repair(stage: Stage, report: Report) -> list[str]:
    """Ask for the events again that never came to their end, by the way that all events go, and close what is
    overdue; the events that are on their way now."""
    asked = []
    for finding in report.findings:
        if finding.repair and finding.kind == "overdue":
            stage.stripe_records.expire(finding.repair)
        elif finding.repair:
            stage.payment_events.send(by_id(finding.repair, report.until))
            asked.append(finding.repair)
    return asked


def unfinished(stage: Stage, event_ids: Sequence[str]) -> list[str]:
    """Those of the events that are neither finished nor parked yet."""
    rows = stage.events.states(event_ids)
    ended = {"applied", "ignored", "parked"}
    return [event_id for event_id in event_ids if rows.get(event_id, {}).get("state") not in ended]


def _events(stage: Stage, since: int, until: int) -> Iterator[Finding]:
    for page in _pages(lambda after: stage.stripe_records.events(since, until, after)):
        rows = stage.events.states([event["id"] for event in page])
        for event in page:
            row = rows.get(event["id"])
            fell = fate(row, stage.payment_executions.status)
            if fell != "finished":
                yield _finding(event, row, fell)


def _finding(event: StripeObject, row: Mapping[str, Any] | None, fell: Fate) -> Finding:
    said = {
        "missing": "nothing here tells of it",
        "stuck": "it was begun, and its execution ended",
        "on its way": "its execution runs",
        "parked": f"it waits for a person: {(row or {}).get('parked_reason')}",
    }[fell]
    lost = fell in TO_BE_ASKED_FOR
    return Finding(fell, event["id"], f"{event['type']}: {said}", not lost, event["id"] if lost else None)


def _truths(stage: Stage, since: int, until: int) -> Iterator[Truth]:
    """Of every purchase whose session, refund or dispute was created since then."""
    seen = set()
    for page in _pages(lambda after: stage.stripe_records.sessions(since, until, after)):
        for session in page:
            seen.add(session["id"])
            if is_ours(session):
                yield _truth(stage, session)
    for payment_intent in stage.stripe_records.payments_changed(since):
        found = stage.stripe_records.session_of(payment_intent)
        if found and found["id"] not in seen and is_ours(found):
            yield _truth(stage, found)


def _truth(stage: Stage, session: StripeObject) -> Truth:
    payment = session.get("payment_intent") or {}
    charge = payment.get("latest_charge") or {}
    refunds = stage.stripe_records.refunds_of(payment["id"]) if charge.get("amount_refunded") else []
    disputes = stage.stripe_records.disputes_of(payment["id"]) if charge.get("disputed") else []
    return truth(session, refunds, disputes)


def _is_accounted(stage: Stage, purchase_id: str) -> bool:
    """Whether an event of the purchase is parked or on its way."""
    rows = stage.events.states(stage.events.ids_of_purchase(purchase_id))
    return any(
        fate(row, stage.payment_executions.status) in {"parked", "on its way"} for row in rows.values()
    )


def _books(stage: Stage, purchases: Iterable[Any]) -> Iterator[Finding]:
    """Whether purchases, ledger and inventories agree, for every player who bought something."""
    by_player: dict[str, list[Any]] = {}
    for purchase in purchases:
        by_player.setdefault(purchase.player_id, []).append(purchase)
    for player_id, theirs in sorted(by_player.items()):
        if not any(purchase.facts.paid for purchase in theirs):
            continue
        lines = tables.ledger(stage, player_id)
        for purchase in theirs:
            for item_id, count in ledger.missing_lines(purchase, lines).items():
                lack = f"lack {count}" if count > 0 else f"have {-count} too many"
                yield Finding("ledger", purchase.purchase_id, f"its lines {lack} {item_id} of {player_id}")
        for one in ledger.verify(stage, player_id)[1]:
            yield Finding("inventory", player_id, str(one))


def _pages(page_after: Callable[[str | None], list[dict[str, Any]]]) -> Iterator[list[dict[str, Any]]]:
    after = None
    while page := page_after(after):
        yield page
        after = page[-1]["id"]
