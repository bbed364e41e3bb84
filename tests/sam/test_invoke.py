"""Every file of events/, given to its function by `sam local invoke`, is answered as docs/local.md tells."""

from pathlib import Path
from typing import Any

import pytest

from local import foundation
from local.deploy import renew_functions
from local.event import EVENTS
from local.names import PREFIX, ROOT
from local.stack import Stack
from nyanko.adapters.dynamodb import to_item
from nyanko.adapters.dynamodb_purchases import Purchases
from nyanko.adapters.dynamodb_table import Table
from nyanko.checkout import new_purchase
from nyanko.facts import Facts
from tests import template
from tests.data import EVENT_ID, SAMPLES, STARTER_PACK
from tests.e2e.shop import Shop
from tests.sam.conftest import Sam
from tests.stripe_events import NOW, SECRET

pytestmark = pytest.mark.timeout(600)

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
PAYMENT_EVENTS = [
    # Starting SAM CLI for each is more of the same: tests/contract/test_payment_events.py replays them all.
    pytest.param(path, id=name, marks=[] if name == "paid_by_card" else pytest.mark.slow)
    for name, path in EVENTS.items()
]


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
def test_a_function_answers_its_sample(shop: Shop, sam_local: Sam, folder: str) -> None:
    expected = ANSWERS[folder]
    answered = sam_local.invoke(folder, ROOT / "events" / f"{folder}.json")
    if folder == "authorizer":
        expected["context"]["player_id"] = answered["principalId"]
        assert answered["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert {key: answered.get(key) for key in expected} == expected
    if folder == "start_payment":
        assert shop.event_state(EVENT_ID) == "applied"


@pytest.mark.usefixtures("sold")
@pytest.mark.parametrize("path", PAYMENT_EVENTS)
def test_the_webhook_accepts_every_payment_event(sam_local: Sam, path: Path) -> None:
    answered = sam_local.invoke("stripe_webhook", path)
    assert (answered["statusCode"], answered["body"]) == (200, '{"received": true}')


def test_every_file_of_events_is_given_to_a_function() -> None:
    given = {ROOT / "events" / f"{folder}.json" for folder in template.functions()} | {*EVENTS.values()}
    assert given == {*(ROOT / "events").rglob("*.json")}
