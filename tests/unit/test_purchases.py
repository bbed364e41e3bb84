"""What is due and what the client is told, from the facts alone."""

from dataclasses import replace
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyanko.errors import Permanent
from nyanko.facts import Dispute, Facts, Refund
from nyanko.grants import converge
from nyanko.purchases import Purchase, check_amount, check_session, entitled, status, with_facts
from tests.data import PAID, THREE_PACKS
from tests.strategies import facts


def refunded(*amounts: int) -> Facts:
    return Facts(
        refunds={f"re_{number}": Refund(amount, "succeeded") for number, amount in enumerate(amounts)}
    )


def disputed(dispute_status: str, away_yen: int | None = 1500) -> Facts:
    return Facts(disputes={"du_mike": Dispute(dispute_status, away_yen, 1)})


@pytest.mark.parametrize(
    ("told", "packs"),
    [
        ([], 0),
        ([Facts(pending=True)], 0),
        ([Facts(closed="expired")], 0),
        ([PAID], 3),
        ([Facts(closed="expired"), PAID], 3),
        ([Facts(closed="async_failed"), PAID], 3),
        ([Facts(pending=True), PAID], 3),
        ([PAID, refunded(100)], 3),
        ([PAID, refunded(500)], 2),
        ([PAID, refunded(501)], 2),
        ([PAID, refunded(500, 500)], 1),
        ([PAID, refunded(1500)], 0),
        ([PAID, refunded(1500, 1500)], 0),
        ([refunded(1500)], 0),
        ([PAID, disputed("needs_response")], 0),
        ([PAID, disputed("needs_response", None)], 0),
        ([PAID, disputed("needs_response", 500)], 2),
        ([PAID, disputed("needs_response", 501)], 2),
        ([PAID, disputed("lost", 1001)], 1),
        ([PAID, disputed("needs_response", 500), refunded(500)], 1),
        ([PAID, disputed("needs_response", 1500), refunded(1500)], 0),
        ([PAID, disputed("warning_needs_response", 0)], 3),
        ([PAID, disputed("won", 0)], 3),
        ([PAID, disputed("lost")], 0),
        ([PAID, disputed("won", 0), refunded(500)], 2),
        ([Facts(paid=99_999)], 3),
    ],
)
def test_what_is_due_follows_from_the_facts(told: list[Facts], packs: int) -> None:
    assert entitled(replace(THREE_PACKS, facts=reduce(Facts.merge, told, Facts()))) == packs


@given(st.lists(facts, max_size=6).flatmap(lambda told: st.tuples(st.just(told), st.permutations(told * 2))))
def test_any_order_of_events_with_duplicates_gives_the_same_entitlement(
    orders: tuple[list[Facts], list[Facts]],
) -> None:
    told, shuffled_twice = (
        replace(THREE_PACKS, facts=reduce(Facts.merge, order, Facts())) for order in orders
    )
    assert entitled(shuffled_twice) == entitled(told)
    assert 0 <= entitled(told) <= told.quantity


@given(facts.filter(lambda told: told.paid == 0))
def test_unpaid_is_never_due(told: Facts) -> None:
    assert entitled(replace(THREE_PACKS, facts=told)) == 0


@given(facts, st.integers(0, 3))
def test_a_grant_converges_in_one_step_and_then_nothing_is_due(told: Facts, granted: int) -> None:
    purchase = replace(THREE_PACKS, facts=told, granted=granted, version=7)
    grant = converge(purchase, now=1_700_000_100)
    packs = entitled(purchase) - granted
    assert grant.after.granted == entitled(purchase)
    assert grant.items == ({"cat_food": 10 * packs, "toy_mouse": packs} if packs else {})
    assert grant.after.version == (8 if packs else 7)
    assert converge(grant.after, now=1_700_000_200).nothing_due


@pytest.mark.parametrize(
    ("told", "granted", "word"),
    [
        (Facts(), 0, "created"),
        (Facts(pending=True), 0, "pending"),
        (Facts(pending=True, closed="async_failed"), 0, "failed"),
        (Facts(closed="expired"), 0, "expired"),
        (PAID, 0, "paid"),
        (PAID, 3, "granted"),
        (PAID.merge(Facts(closed="expired")), 3, "granted"),
        (PAID.merge(refunded(500)), 2, "partially_refunded"),
        (Facts(paid=1000), 3, "paid"),
        (PAID.merge(refunded(1500)), 0, "refunded"),
        (PAID.merge(refunded(1500, 1)), 0, "refunded"),
        (PAID.merge(refunded(1500)).merge(disputed("needs_response")), 0, "disputed"),
        (PAID.merge(disputed("needs_response")), 0, "disputed"),
        (PAID.merge(disputed("won", 0)), 3, "granted"),
        (PAID.merge(disputed("needs_response", 500)), 2, "disputed"),
    ],
)
def test_the_client_is_told_one_word(told: Facts, granted: int, word: str) -> None:
    assert status(replace(THREE_PACKS, facts=told, granted=granted)) == word


@pytest.mark.parametrize(("amount", "currency"), [(1500, "jpy"), (None, None), (1500, None)])
def test_the_ordered_amount_passes(amount: int | None, currency: str | None) -> None:
    check_amount(THREE_PACKS, amount, currency)
    assert THREE_PACKS.amount == 1500


@pytest.mark.parametrize(
    ("amount", "currency"), [(1499, "jpy"), (0, "jpy"), (150_000, "jpy"), (1500, "eur"), (1500, "usd")]
)
def test_another_amount_or_currency_than_ordered_is_parked(amount: int, currency: str) -> None:
    with pytest.raises(Permanent, match="AmountMismatch"):
        check_amount(THREE_PACKS, amount, currency)


@pytest.mark.parametrize(
    ("own", "session_id"), [("cs_mike", "cs_mike"), ("cs_mike", None), (None, "cs_mike"), (None, None)]
)
def test_the_payment_of_its_own_session_is_the_purchases(own: str | None, session_id: str | None) -> None:
    check_session(replace(THREE_PACKS, session_id=own), session_id)


def test_the_payment_of_another_session_is_parked() -> None:
    with pytest.raises(Permanent, match="OtherSession"):
        check_session(replace(THREE_PACKS, session_id="cs_mike"), "cs_tama")


def test_recording_facts_is_the_next_version_and_dates_the_purchase() -> None:
    recorded = with_facts(replace(THREE_PACKS, version=7), PAID, now=1_700_000_100)
    assert recorded == replace(THREE_PACKS, facts=PAID, version=8, updated_at=1_700_000_100)


def test_a_checkout_stays_open_for_an_hour() -> None:
    assert THREE_PACKS.expires_at == THREE_PACKS.created_at + 60 * 60


def test_an_order_begins_with_nothing_granted_and_no_change() -> None:
    assert (THREE_PACKS.granted, THREE_PACKS.version, THREE_PACKS.facts) == (0, 0, Facts())


@given(facts, st.integers(0, 3), st.sampled_from([None, "cs_mike"]))
def test_a_purchase_survives_the_way_through_json_and_the_table(
    told: Facts, granted: int, session_id: str | None
) -> None:
    purchase = replace(THREE_PACKS, facts=told, granted=granted, version=granted, session_id=session_id)
    assert Purchase.from_dict(purchase.to_dict()) == purchase


def test_a_row_leaves_out_what_is_not_known_yet() -> None:
    row: Any = {name: value for name, value in THREE_PACKS.to_dict().items() if value is not None}
    assert not {"session_id", "url"} & row.keys()
    assert Purchase.from_dict(row) == THREE_PACKS
