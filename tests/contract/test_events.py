"""Each sample in `events/` is what its function is really called with, and does what it says.

Together they are one purchase on its way: what the webhook puts into the queue is what start_payment gets,
and what the workflow calls its functions with are the samples of these functions. They are signed with the
tests' secret at the tests' time. tests/integration/test_authorizer.py replays the authorizer's.
"""

import json

import pytest

from nyanko.composition.function import adapters
from nyanko.purchases import Purchase
from tests.data import EVENT_ID, SAMPLES, STARTER_PACK
from tests.workflow.engine import Workflow
from tests.workflow.stripe_api import created_session


@pytest.fixture
def sold(workflow: Workflow) -> Purchase:
    """The purchase that the samples are about."""
    grant = SAMPLES["notify_player"]["purchase"]
    return workflow.sell(grant["purchase_id"], grant["player_id"], quantity=3)


def test_the_webhook_puts_the_sample_of_start_payment_into_the_queue(workflow: Workflow) -> None:
    assert workflow.invoke("stripe_webhook", SAMPLES["stripe_webhook"])["statusCode"] == 200
    assert workflow.queued() == [json.loads(record["body"]) for record in SAMPLES["start_payment"]["Records"]]


@pytest.mark.usefixtures("sold")
def test_start_payment_starts_a_workflow_that_calls_its_functions_with_their_samples(
    workflow: Workflow,
) -> None:
    assert workflow.invoke("start_payment", SAMPLES["start_payment"]) == {"batchItemFailures": []}
    assert [execution.status for execution in workflow.executions(EVENT_ID)] == ["SUCCEEDED"]
    called = ["verify_event", "record_payment", "grant_items", "notify_player"]
    assert workflow.invoked == [(folder, SAMPLES[folder]) for folder in called]
    assert {row["item_id"]: row["quantity"] for row in workflow.rows("inventory")} == {
        "cat_food": 30,
        "toy_mouse": 3,
    }


@pytest.mark.usefixtures("sold")
def test_park_event_parks_its_sample(workflow: Workflow) -> None:
    assert workflow.invoke("park_event", SAMPLES["park_event"]) == {
        "reason": "AmountMismatch",
        "parked": True,
    }
    assert workflow.event_row(EVENT_ID)["state"] == "parked"
    (letter,) = workflow.dead_letters()
    assert (letter["event_id"], letter["reason"]) == (EVENT_ID, "AmountMismatch")


def test_the_sample_of_park_event_is_what_the_workflow_calls_it_with(workflow: Workflow) -> None:
    grant = SAMPLES["notify_player"]["purchase"]
    workflow.sell(grant["purchase_id"], grant["player_id"], quantity=2)
    workflow.invoke("start_payment", SAMPLES["start_payment"])
    ((_, parked),) = [called for called in workflow.invoked if called[0] == "park_event"]
    sample = SAMPLES["park_event"]
    assert {**parked, "error": {}} == {**sample, "error": {}}
    assert parked["error"]["Error"] == sample["error"]["Error"]
    cause, sample_cause = (json.loads(each["error"]["Cause"]) for each in (parked, sample))
    assert cause.keys() == sample_cause.keys()
    assert cause["errorMessage"] == sample_cause["errorMessage"]


def test_the_api_opens_a_checkout_for_its_sample(workflow: Workflow) -> None:
    adapters().products.put(STARTER_PACK)
    answer = workflow.invoke("api", SAMPLES["api"])
    assert answer["statusCode"] == 201
    checkout = json.loads(answer["body"])
    assert (checkout["url"], checkout["amount"]) == (created_session(checkout["purchase_id"])["url"], 1500)
    player_id = SAMPLES["api"]["requestContext"]["authorizer"]["player_id"]
    assert workflow.purchase(checkout["purchase_id"]).player_id == player_id
    assert workflow.stripe_api.asked == ["POST /v1/checkout/sessions"]
