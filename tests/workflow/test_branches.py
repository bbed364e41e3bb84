"""Every way through the workflow that ends well, by the exact states it passes."""

from tests.stripe_events import session_event, signed
from tests.workflow.engine import Workflow

GRANTED = ["VerifyEvent", "IsOurs", "ClaimEvent", "RecordPayment", "GrantItems", "NotifyPlayer"]


def test_a_paid_purchase_is_granted(workflow: Workflow) -> None:
    purchase = workflow.sell(quantity=3)
    execution = workflow.deliver(signed(session_event("completed", purchase)))
    assert (execution.status, execution.states) == ("SUCCEEDED", GRANTED)
    assert workflow.inventory() == workflow.ledger() == {"cat_food": 30, "toy_mouse": 3}
