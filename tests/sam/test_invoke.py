"""`make sam-invoke` of every function with its sample gives the answer that docs/local.md tells of."""

from typing import Any

import pytest

from local import foundation
from local.deploy import renew_functions
from local.names import PREFIX
from local.stack import Stack
from nyanko.adapters.dynamodb import to_item
from nyanko.adapters.dynamodb_purchases import Purchases
from nyanko.adapters.dynamodb_table import Table
from nyanko.checkout import new_purchase
from nyanko.facts import Facts
from tests import template
from tests.data import EVENT_ID, SAMPLES, STARTER_PACK
from tests.e2e.shop import Shop
from tests.sam.conftest import Invoke
from tests.stripe_events import NOW, SECRET

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

GRANT, RECORD = SAMPLES["notify_player"], SAMPLES["record_payment"]
PURCHASE = GRANT["purchase"]
ANSWERS: dict[str, dict[str, Any]] = {
    "api": {"statusCode": 201},
    "authorizer": {"context": {"player_id": "of mike", "birth_month": "1990-01"}},
    "grant_items": {"event_id": EVENT_ID, "notice": GRANT["notice"]},
    "notify_player": {"delivered": 0, "gone": 0, "failed": 0},
    "park_event": {"reason": "AmountMismatch", "parked": True},
    "realtime": {"statusCode": 200},
    "realtime_authorizer": {"principalId": "nobody"},
    "reconcile": {"listing": "done", "stuck": 0, "drift": 0},
    "record_payment": {"purchase_id": PURCHASE["purchase_id"]},
    "start_payment": {"batchItemFailures": []},
    "stripe_webhook": {"statusCode": 400},
    "verify_event": {key: RECORD[key] for key in ("purchase_id", "amount", "currency", "facts")},
}


@pytest.fixture(scope="module")
def signed_for(stack: Stack) -> None:
    """The stack trusts the tests' signatures too, as while a secret is rolled."""
    foundation.store_secret(stack.aws, "stripe_webhook_secrets", f"{stack.webhook_secret} {SECRET}")
    renew_functions(stack.aws)


@pytest.fixture(scope="module")
def sold(shop: Shop) -> None:
    """The purchase that the samples are about, known to be paid and not granted."""
    purchases = Purchases(lambda noun: Table(lambda: shop.client("dynamodb"), f"{PREFIX}_{noun}"))
    purchase = new_purchase(PURCHASE["purchase_id"], PURCHASE["player_id"], STARTER_PACK, 3, NOW)
    assert purchases.create(purchase, [])
    purchases.record(purchase, Facts.from_dict(RECORD["facts"]), NOW)


@pytest.fixture
def claimed(shop: Shop) -> None:
    """The samples' event is on its way."""
    claim = to_item({"event_id": EVENT_ID, "state": "claimed"})
    shop.client("dynamodb").put_item(TableName=f"{PREFIX}_events", Item=claim)


@pytest.mark.usefixtures("signed_for", "sold", "claimed")
@pytest.mark.parametrize("folder", sorted(template.functions()))
def test_a_function_answers_its_sample(shop: Shop, sam_invoke: Invoke, folder: str) -> None:
    expected = ANSWERS[folder]
    answered = sam_invoke(folder)
    if folder == "authorizer":
        expected["context"]["player_id"] = answered["principalId"]
        assert answered["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert {key: answered.get(key) for key in expected} == expected
    if folder == "start_payment":
        assert shop.event_state(EVENT_ID) == "applied"
