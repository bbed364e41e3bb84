"""What Hypothesis draws: facts of a purchase as any events may have told them."""

from hypothesis import strategies as st

from nyanko.facts import REFUND_ORDER, Dispute, Facts, Refund

DISPUTE_STATUSES = [
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "needs_response",
    "under_review",
    "won",
    "lost",
    "appeal_needs_response",
    "prevented",
    "a_status_of_tomorrow",
]

refunds = st.dictionaries(
    st.sampled_from(["re_tama", "re_mike", "re_kuro"]),
    st.builds(Refund, amount=st.integers(1, 1500), status=st.sampled_from(REFUND_ORDER)),
)
disputes = st.dictionaries(
    st.sampled_from(["du_tama", "du_mike"]),
    st.builds(
        Dispute,
        status=st.sampled_from(DISPUTE_STATUSES),
        away_yen=st.sampled_from([None, 0, 500, 1500]),
        at=st.integers(0, 3),
    ),
)
facts = st.builds(
    Facts,
    paid=st.sampled_from([0, 500, 1500]),
    pending=st.booleans(),
    closed=st.sampled_from([None, "expired", "async_failed"]),
    payment_intent=st.sampled_from([None, "pi_tama"]),
    refunds=refunds,
    disputes=disputes,
)
