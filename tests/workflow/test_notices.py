"""What a notice tells of is what its version of the purchase has changed, whichever event did that."""

from botocore.exceptions import ClientError

from tests.stripe_events import checkout_session, refund_event, session_event, signed
from tests.workflow.engine import Workflow


def test_a_notice_tells_of_its_version_although_another_event_came_between(workflow: Workflow) -> None:
    purchase = workflow.sell(quantity=1)
    workflow.stripe_api.sessions["pi_mike"] = [checkout_session(purchase)]

    def refund_and_lose_the_answer() -> None:
        workflow.deliver(signed(refund_event("created", purchase)))
        raise ClientError({"Error": {"Code": "TransactionInProgressException"}}, "TransactWriteItems")

    # The refund's notice cannot be kept, so that the payment's is the first of the version.
    workflow.fail("NotifyPlayer", "KeyError")
    workflow.meanwhile_call(
        "grant_items", "TransactWriteItems", refund_and_lose_the_answer, after_effect=True
    )
    workflow.deliver(signed(session_event("completed", purchase)))
    changed = {line["line_id"]: line["delta"] for line in workflow.rows("ledger")}
    told = {
        f"{row['notice']['purchase_id']}#{row['notice_id'].rpartition('.')[2]}#{item_id}": count
        for row in workflow.rows("notices")
        for item_id, count in row["notice"]["items"].items()
    }
    assert len(changed) == 4
    assert told
    assert told.items() <= changed.items()
