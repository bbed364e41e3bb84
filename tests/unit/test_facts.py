"""Facts merge like a set union: order, grouping and repetition do not matter."""

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from nyanko.facts import REFUND_ORDER, Dispute, Facts, Refund
from tests.strategies import DISPUTE_STATUSES, facts


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


def test_an_open_dispute_holds_and_an_inquiry_does_not() -> None:
    holding = {status for status in DISPUTE_STATUSES if Facts(disputes={"du": Dispute(status, 1)}).held}
    assert holding == {"needs_response", "under_review", "lost", "a_status_of_tomorrow"}


def test_the_end_of_a_dispute_beats_a_later_telling_that_it_is_open() -> None:
    won = Facts(disputes={"du": Dispute("won", 10)})
    stale = Facts(disputes={"du": Dispute("under_review", 20)})
    assert won.merge(stale).held is False


def test_of_two_ends_of_a_dispute_the_later_counts() -> None:
    lost = Facts(disputes={"du": Dispute("lost", 10)})
    won_on_appeal = Facts(disputes={"du": Dispute("won", 20)})
    assert lost.merge(won_on_appeal).held is False


def test_an_inquiry_that_becomes_a_dispute_holds() -> None:
    inquiry = Facts(disputes={"du": Dispute("warning_needs_response", 10)})
    dispute = Facts(disputes={"du": Dispute("needs_response", 20)})
    assert dispute.merge(inquiry).held is True
