"""Facts merge like a set union: order, grouping and repetition do not matter."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nyanko.facts import REFUND_ORDER, Dispute, Facts, Refund
from tests.strategies import facts


@given(facts, facts)
def test_merging_is_commutative(one: Facts, other: Facts) -> None:
    assert one.merge(other) == other.merge(one)


@given(facts, facts, facts)
def test_merging_is_associative(one: Facts, other: Facts, third: Facts) -> None:
    assert one.merge(other).merge(third) == one.merge(other.merge(third))


@given(facts)
def test_merging_is_idempotent(one: Facts) -> None:
    assert one.merge(one) == one


@given(facts)
def test_knowing_nothing_changes_nothing(one: Facts) -> None:
    assert one.merge(Facts()) == one


def test_at_first_no_money_is_known() -> None:
    nothing = Facts()
    assert (nothing.paid, nothing.refunded, nothing.held, nothing.pending) == (0, 0, 0, False)


@given(
    st.lists(facts, min_size=1, max_size=6).flatmap(
        lambda told: st.tuples(st.just(told), st.permutations(told * 2))
    )
)
def test_any_order_with_any_repetition_ends_in_the_same_facts(
    orders: tuple[list[Facts], list[Facts]],
) -> None:
    told, shuffled_twice = orders
    assert reduce(Facts.merge, shuffled_twice) == reduce(Facts.merge, told)


@given(facts)
def test_facts_survive_the_way_through_json_and_the_table(one: Facts) -> None:
    assert Facts.from_dict(one.to_dict()) == one


def test_a_refund_that_fails_after_it_succeeded_counts_no_more() -> None:
    succeeded = Facts(refunds={"re_tama": Refund(500, "succeeded")})
    failed = Facts(refunds={"re_tama": Refund(500, "failed")})
    assert succeeded.refunded == 500
    assert succeeded.merge(failed).refunded == 0
    assert failed.merge(succeeded).refunded == 0


def test_only_refunds_that_succeeded_count() -> None:
    several = Facts(refunds={status: Refund(100, status) for status in REFUND_ORDER})
    assert several.refunded == 100


def disputed(status: str, away_yen: int | None, at: int) -> Facts:
    return Facts(paid=1500, disputes={"du": Dispute(status, away_yen, at)})


@pytest.mark.parametrize(("away_yen", "held"), [(0, 0), (500, 500), (1500, 1500), (9999, 1500), (None, 1500)])
def test_a_dispute_holds_what_the_bank_took_and_at_most_what_was_paid(
    away_yen: int | None, held: int
) -> None:
    assert disputed("needs_response", away_yen, 1).held == held


def test_several_disputes_hold_together_at_most_what_was_paid() -> None:
    one, other = Dispute("needs_response", 500, 1), Dispute("lost", 700, 1)
    assert Facts(paid=1500, disputes={"du_1": one, "du_2": other}).held == 1200
    assert Facts(paid=1000, disputes={"du_1": one, "du_2": other}).held == 1000


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (("needs_response", 1500), ("won", 0)),
        (("won", 0), ("appeal_needs_response", 1500)),
        (("won", 0), ("a_status_of_tomorrow", 1500)),
        (("warning_closed", 0), ("needs_response", 1500)),
        (("lost", 1500), ("won", 0)),
        (("warning_needs_response", 0), ("needs_response", 500)),
    ],
)
def test_of_two_facts_about_a_dispute_the_later_counts(
    earlier: tuple[str, int], later: tuple[str, int]
) -> None:
    first, second = disputed(*earlier, at=10), disputed(*later, at=20)
    assert first.merge(second) == second.merge(first) == second


@pytest.mark.parametrize(
    ("less", "more"),
    [
        (("needs_response", 1500), ("won", 0)),
        (("needs_response", 500), ("needs_response", 1500)),
        (("needs_response", 1500), ("needs_response", None)),
        (("needs_response", 500), ("under_review", 500)),
    ],
)
def test_in_the_same_second_the_end_counts_then_the_larger_sum_then_the_text(
    less: tuple[str, int | None], more: tuple[str, int | None]
) -> None:
    one, other = disputed(*less, at=10), disputed(*more, at=10)
    assert one.merge(other) == other.merge(one) == other
