"""What uses up a limit, and where it ends."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from nyanko.catalog import Product
from nyanko.errors import BadInput
from nyanko.facts import Dispute, Facts, Refund
from nyanko.limits import (
    JST,
    LATE_EVENT_SECONDS,
    Limit,
    LimitList,
    check_limit,
    counts,
    limits_of,
    monthly_yen,
)
from tests.data import MIKES_PURCHASE, PAID, STARTER_PACK, THREE_PACKS, purchase_id

NOW = THREE_PACKS.created_at
CLOSED_LONG_AGO = THREE_PACKS.expires_at + LATE_EVENT_SECONDS + 1
ONE_EACH = replace(STARTER_PACK, limit_per_player=1)
ADULT, CHILD = "1990-04", "2015-04"


def at(year: int, month: int, day: int = 1, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=JST).timestamp())


@pytest.mark.parametrize(
    ("facts", "now", "counted"),
    [
        (Facts(), NOW, True),
        (Facts(), THREE_PACKS.expires_at + LATE_EVENT_SECONDS, True),
        (Facts(), CLOSED_LONG_AGO, False),
        (Facts(closed="expired"), NOW, False),
        (Facts(pending=True), CLOSED_LONG_AGO, True),
        (Facts(pending=True, closed="async_failed"), NOW, False),
        (PAID, CLOSED_LONG_AGO, True),
        (PAID.merge(Facts(closed="expired")), CLOSED_LONG_AGO, True),
        (PAID.merge(Facts(disputes={"du": Dispute("lost", 1500, 1)})), CLOSED_LONG_AGO, True),
        (PAID.merge(Facts(refunds={"re": Refund(500, "succeeded")})), CLOSED_LONG_AGO, True),
        (PAID.merge(Facts(refunds={"re": Refund(1500, "succeeded")})), CLOSED_LONG_AGO, False),
        (PAID.merge(Facts(refunds={"re": Refund(1501, "succeeded")})), CLOSED_LONG_AGO, False),
    ],
)
def test_a_purchase_counts_while_it_is_paid_or_can_still_be(facts: Facts, now: int, *, counted: bool) -> None:
    assert counts(replace(THREE_PACKS, facts=facts), now) is counted


def test_an_order_of_which_nothing_was_heard_counts_for_two_hours() -> None:
    two_hours_later = THREE_PACKS.created_at + 2 * 3600
    assert counts(THREE_PACKS, two_hours_later)
    assert not counts(THREE_PACKS, two_hours_later + 1)


@pytest.mark.parametrize(
    ("birth_month", "now", "yen"),
    [
        (None, at(2026, 11), 5_000),
        ("2015-04", at(2026, 11), 5_000),
        ("2010-11", at(2026, 11, 30, 23), 5_000),
        ("2010-11", at(2026, 12), 20_000),
        ("2010-11", at(2026, 3), 5_000),
        ("2010-02", at(2026, 3), 20_000),
        ("2008-11", at(2026, 11, 30, 23), 20_000),
        ("2008-11", at(2026, 12), None),
        ("1990-04", at(2026, 11), None),
        ("2030-01", at(2026, 11), 5_000),
    ],
)
def test_the_monthly_limit_follows_the_age_of_which_only_the_month_is_known(
    birth_month: str | None, now: int, yen: int | None
) -> None:
    assert monthly_yen(birth_month, now) == yen


def test_the_month_is_that_of_japan_nine_hours_ahead_of_utc() -> None:
    december_in_japan = int(datetime(2026, 11, 30, 15, tzinfo=UTC).timestamp())
    scopes = [
        limits_of(STARTER_PACK, CHILD, now)[0].scope for now in (december_in_japan - 1, december_in_japan)
    ]
    assert scopes == ["month#2026-11", "month#2026-12"]


@pytest.mark.parametrize(
    ("product", "birth_month", "scopes"),
    [
        (STARTER_PACK, ADULT, []),
        (STARTER_PACK, CHILD, ["month#2023-11"]),
        (ONE_EACH, ADULT, ["product#neko_starter_pack"]),
        (ONE_EACH, None, ["product#neko_starter_pack", "month#2023-11"]),
    ],
)
def test_an_order_falls_under_the_limits_of_its_product_and_its_player(
    product: Product, birth_month: str | None, scopes: list[str]
) -> None:
    assert [limit.scope for limit in limits_of(product, birth_month, NOW)] == scopes


def test_a_list_keeps_what_counts_and_takes_the_new_purchase() -> None:
    limit = Limit("month#2023-11", 5_000, "yen")
    expired = replace(THREE_PACKS, purchase_id=purchase_id("expired"), facts=Facts(closed="expired"))
    paid = replace(THREE_PACKS, purchase_id=purchase_id("paid"), facts=PAID)
    listed = LimitList("mike", limit.scope, [purchase_id("expired"), purchase_id("paid")], version=2)
    assert check_limit(limit, listed, [expired, paid], THREE_PACKS, NOW) == LimitList(
        "mike", limit.scope, [purchase_id("paid"), MIKES_PURCHASE], version=3
    )


@pytest.mark.parametrize(
    ("limit", "left"), [(Limit("month#2023-11", 2_999, "yen"), 1_499), (Limit("product#p", 5, "packs"), 2)]
)
def test_a_purchase_beyond_the_limit_is_refused_with_what_is_left(limit: Limit, left: int) -> None:
    paid = replace(THREE_PACKS, purchase_id=purchase_id("paid"), facts=PAID)
    with pytest.raises(BadInput, match="LimitReached") as refused:
        check_limit(limit, LimitList("mike", limit.scope), [paid], THREE_PACKS, NOW)
    assert refused.value.figures == {"limit": limit.most, "left": left}


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (Limit("product#p", 2, "packs"), "the limit is 2 packs of this product for each player; 1 are left"),
        (Limit("product#p", 1, "packs"), "the limit is 1 packs of this product for each player; 0 are left"),
        (Limit("month#2023-11", 1_900, "yen"), "the limit is 1900 yen in a month at this age; 1400 are left"),
        (Limit("month#2023-11", 300, "yen"), "the limit is 300 yen in a month at this age; 0 are left"),
    ],
)
def test_a_refused_player_reads_which_limit_it_was_and_what_is_left_of_it(limit: Limit, said: str) -> None:
    one_pack = replace(THREE_PACKS, purchase_id=purchase_id("paid"), quantity=1, facts=Facts(paid=500))
    with pytest.raises(BadInput) as refused:
        check_limit(limit, LimitList("mike", limit.scope), [one_pack], THREE_PACKS, NOW)
    assert refused.value.message == said


def test_the_first_purchase_makes_the_first_version_of_the_list() -> None:
    limit = Limit("product#p", 5, "packs")
    assert check_limit(limit, LimitList("mike", limit.scope), [], THREE_PACKS, NOW).version == 1


def test_the_limit_itself_may_be_reached() -> None:
    paid = replace(THREE_PACKS, purchase_id=purchase_id("paid"), facts=PAID)
    for limit in (Limit("month#2023-11", 3_000, "yen"), Limit("product#p", 6, "packs")):
        assert check_limit(limit, LimitList("mike", limit.scope), [paid], THREE_PACKS, NOW).purchase_ids
