"""How much a player may buy: packs of a limited product, and yen in a month by age.

What counts follows from the facts of the purchases themselves, like everything else: there is no counter to
be raised at checkout and lowered when a session expires, and so none that can be lost. Each limit has a
list of the purchases that it may concern (the table `limits`); a checkout reads it, asks each purchase, and
appends its own under the condition that nobody else appended meanwhile.

The limits are enforced at checkout and nowhere else: money that arrives is never refused afterwards. A
purchase paid after its session had expired is granted, even beyond a limit that others used up meanwhile.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Literal

from nyanko.catalog import Product
from nyanko.errors import BadInput
from nyanko.purchases import Purchase

JST = timezone(timedelta(hours=9))

MONTHLY_YEN = ((16, 5_000), (18, 20_000))
"""Younger than this many years: at most so many yen in a calendar month of Japan; adults have no limit. No
law names a figure; publishers of games in Japan ask for the month of birth and set figures like these."""

LATE_EVENT_SECONDS = 3600
"""How long after its expiry an open session still counts, since its payment may be known to Stripe alone."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` packs of a product, ever, or yen in a month; `scope` names the list of purchases."""

    scope: str
    most: int
    unit: Literal["packs", "yen"]

    def weight(self, purchase: Purchase) -> int:
        return purchase.quantity if self.unit == "packs" else purchase.amount


@dataclass(frozen=True, slots=True)
class LimitList:
    """The purchases that may count towards a player's limit; `version` counts up with every change of the
    stored list, and is 0 for one that was never stored."""

    player_id: str
    scope: str
    purchase_ids: Sequence[str] = ()
    version: int = 0


def limits_of(product: Product, birth_month: str | None, now: int) -> list[Limit]:
    """The limits that an order of this product falls under; `birth_month` is `YYYY-MM`, None if unknown."""
    limits = []
    if product.limit_per_player is not None:
        limits.append(Limit(f"product#{product.product_id}", product.limit_per_player, "packs"))
    monthly = monthly_yen(birth_month, now)
    if monthly is not None:
        limits.append(Limit(f"month#{_in_japan(now):%Y-%m}", monthly, "yen"))
    return limits


def monthly_yen(birth_month: str | None, now: int) -> int | None:
    """The yen a player may spend in a month, None for adults. Of unknown age is the youngest.

    A player grows a year older with the end of the month of birth, since its day is not known.
    """
    if birth_month is None:
        return MONTHLY_YEN[0][1]
    year, month = (int(part) for part in birth_month.split("-"))
    today = _in_japan(now)
    age = today.year - year - (today.month <= month)
    return next((yen for below, yen in MONTHLY_YEN if age < below), None)


def counts(purchase: Purchase, now: int) -> bool:
    """Whether a purchase uses up limits: paid and not wholly refunded, or still able to be paid."""
    facts = purchase.facts
    if facts.paid:
        return facts.refunded < facts.paid
    if facts.closed:
        return False
    return facts.pending or now <= purchase.expires_at + LATE_EVENT_SECONDS


def check_limit(
    limit: Limit, listed: LimitList, earlier: Iterable[Purchase], purchase: Purchase, now: int
) -> LimitList:
    """The limit's list as it is once the purchase is made; `earlier` are those listed so far, of which the
    ones that count no more are dropped.

    Raises `BadInput` (`LimitReached`) when the purchase would go beyond the limit.
    """
    counted = [one for one in earlier if counts(one, now)]
    used = sum(limit.weight(one) for one in counted)
    if used + limit.weight(purchase) > limit.most:
        left = max(limit.most - used, 0)
        over = "of this product for each player" if limit.unit == "packs" else "in a month at this age"
        raise BadInput(
            "LimitReached",
            f"the limit is {limit.most} {limit.unit} {over}; {left} are left",
            limit=limit.most,
            left=left,
        )
    purchase_ids = [*(one.purchase_id for one in counted), purchase.purchase_id]
    return replace(listed, purchase_ids=purchase_ids, version=listed.version + 1)


def _in_japan(now: int) -> datetime:
    return datetime.fromtimestamp(now, JST)
