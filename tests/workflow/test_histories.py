"""The histories of tests/histories.py, run through the shipped workflow with its functions and tables."""

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from nyanko.composition.function import adapters
from nyanko.errors import BadInput
from nyanko.spends import Spend
from tests.data import MIKE, MIKES_PURCHASE, STARTER_PACK
from tests.histories import History, charge_of, histories
from tests.stripe_events import signed
from tests.workflow.engine import Workflow, deployed

EXAMPLES = 15


# Shrinking would take minutes here; the same histories shrink in tests/unit/test_histories.py.
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(histories(), st.data())
def test_the_workflow_ends_every_history_as_the_oracle_says(history: History, data: st.DataObject) -> None:
    note(history.story)
    repeated = data.draw(st.lists(st.sampled_from(history.events), max_size=2)) if history.events else []
    order = data.draw(st.permutations([*history.events, *repeated]))
    spend_after = data.draw(st.integers(0, len(order)))
    with pytest.MonkeyPatch.context() as monkeypatch, deployed(monkeypatch) as workflow:
        workflow.sell(quantity=history.purchase.quantity)
        workflow.stripe_api.refunds[charge_of(history)] = history.refunds
        workflow.stripe_api.sessions["pi_mike"] = [
            {"id": "cs_test_mike", "mode": "payment", "metadata": {"purchase_id": MIKES_PURCHASE}}
        ]
        spent = 0
        for number, event in enumerate(order):
            if number == spend_after:
                spent = feed(workflow)
            assert workflow.deliver(signed(event)).status == "SUCCEEDED"
        assert workflow.purchase().granted == history.packs
        assert workflow.inventory() == workflow.ledger()
        assert {item_id: count for item_id, count in workflow.inventory().items() if count} == {
            item_id: due
            for item_id, count in STARTER_PACK.items.items()
            if (due := count * history.packs - (spent if item_id == "cat_food" else 0))
        }
        assert {row["state"] for row in workflow.rows("events")} <= {"applied"}
        assert workflow.dead_letters() == []


def feed(workflow: Workflow) -> int:
    """Spend eight of the cat food, if there is any: what is taken back later becomes debt."""
    try:
        adapters().inventory.spend(MIKE.player_id, Spend("feed-1", "cat_food", 8), workflow.now)
    except BadInput:
        return 0
    return 8
