"""`nyanko webhook` against Stripe's API: one endpoint as it should be, a secret that is rolled unnoticed."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest
from botocore.session import Session

from nyanko.adapters.secretsmanager_secrets import Secrets
from nyanko.composition.adapters import Adapters
from nyanko.composition.secrets import StageSecrets
from nyanko.errors import BadInput
from nyanko.stripe_events import API_VERSION, HANDLED_EVENTS
from nyanko.stripe_signature import check_signature
from ops import webhook
from ops.stages import Connection, Stage
from ops.webhook import NotYet
from tests.integration.stripe_shop import Arrival, Shop

FOREIGN = "https://another.example/webhook"


class SecretsInMemory(Secrets):
    def __init__(self) -> None:
        self._values = {"local_jm_nyanko_stripe_api_key": "sk_test_nyanko"}

    def value(self, name: str) -> str:
        return self._values.get(name, "")

    def store(self, name: str, value: str) -> None:
        self._values[name] = value


@dataclass(frozen=True)
class ShopStage(Stage):
    """A stage whose secrets are kept in memory and whose Stripe is the shop's."""

    stripe_url: str = ""

    @cached_property
    def adapters(self) -> Adapters:
        adapters = Adapters({"STAGE": "local", "STRIPE_API_URL": self.stripe_url}, self.clients, lambda: 0)
        adapters.__dict__["secrets"] = StageSecrets(SecretsInMemory(), "local")
        return adapters

    @property
    def in_force(self) -> list[str]:
        return self.adapters.secrets.webhook_secrets()


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as running:
        yield running


@pytest.fixture
def stage(shop: Shop) -> ShopStage:
    connection = Connection(Session(), {"": "unused"}, shop.webhook.url)
    return ShopStage("local", lambda: connection, stripe_url=shop.stand_in.url)


def endpoints(shop: Shop) -> list[tuple[str, str]]:
    listed = shop.stripe.v1.webhook_endpoints.list().data
    return sorted((one.id, one.status) for one in listed if one.url == shop.webhook.url)


def accepted(stage: ShopStage, arrival: Arrival) -> bool:
    """Whether our webhook would accept it now."""
    at = int(arrival.signature.partition("t=")[2].partition(",")[0])
    try:
        check_signature(arrival.body, arrival.signature, stage.in_force, at)
    except BadInput:
        return False
    return True


def test_without_an_endpoint_one_is_created_and_its_secret_kept(shop: Shop, stage: ShopStage) -> None:
    shop.stripe.v1.webhook_endpoints.create({"url": FOREIGN, "enabled_events": ["*"]})
    assert webhook.sync(stage).startswith("created we_")
    [endpoint] = webhook.endpoints(stage)
    assert endpoint.api_version == API_VERSION
    assert sorted(endpoint.enabled_events) == sorted(HANDLED_EVENTS)
    assert len(stage.in_force) == 1
    shop.sell_and_pay()
    [arrival, *_] = shop.webhook.wait_for(bool)
    assert accepted(stage, arrival)


def test_what_is_as_it_should_be_is_left_alone(shop: Shop, stage: ShopStage) -> None:
    webhook.sync(stage)
    before = (endpoints(shop), stage.in_force)
    assert webhook.sync(stage).endswith("is as it should be")
    assert (endpoints(shop), stage.in_force) == before


def test_an_endpoint_that_differs_is_updated_and_keeps_its_secret(shop: Shop, stage: ShopStage) -> None:
    webhook.sync(stage)
    [(endpoint_id, _)] = endpoints(shop)
    secret = stage.in_force
    shop.stripe.v1.webhook_endpoints.update(
        endpoint_id, {"enabled_events": ["charge.refunded", "customer.created"], "disabled": True}
    )
    told = webhook.sync(stage)
    assert "is not sent checkout.session.completed" in told
    assert "sends in vain customer.created" in told
    assert "is disabled" in told
    assert (endpoints(shop), stage.in_force) == ([(endpoint_id, "enabled")], secret)


def test_an_endpoint_of_another_version_is_replaced_with_both_secrets_in_force(
    shop: Shop, stage: ShopStage
) -> None:
    outdated: Any = {"url": shop.webhook.url, "enabled_events": ["*"], "api_version": "2020-08-27"}
    old = shop.stripe.v1.webhook_endpoints.create(outdated)
    stage.adapters.secrets.store_webhook_secrets([str(old.secret)])
    told = webhook.sync(stage, wait=lambda: None)
    assert old.id in told
    assert len(endpoints(shop)) == len(stage.in_force) == 2


def test_a_secret_is_rolled_without_an_event_being_refused(shop: Shop, stage: ShopStage) -> None:
    webhook.sync(stage)
    [(old, _)] = endpoints(shop)
    [first] = stage.in_force

    def meanwhile() -> None:
        """The functions may know the old secret alone: nothing is signed with the new one yet."""
        assert dict(endpoints(shop))[old] == "enabled"
        assert sorted(status for _, status in endpoints(shop)) == ["disabled", "enabled"]
        shop.sell_and_pay()

    new = webhook.roll(stage, wait=meanwhile)
    assert endpoints(shop) == sorted([(old, "enabled"), (new, "enabled")])
    assert stage.in_force[1] == first
    shop.sell_and_pay()
    # The first sale comes once, by the old endpoint; the second by both.
    paid = [
        one
        for one in shop.webhook.wait_for(
            lambda all_: sum(b"session.completed" in one.body for one in all_) == 3
        )
        if b"session.completed" in one.body
    ]
    assert all(accepted(stage, one) for one in paid)

    assert webhook.finish(stage, int(shop.clock())) == [old]
    assert endpoints(shop) == [(new, "enabled")]
    assert len(stage.in_force) == 1
    assert first not in stage.in_force


def test_a_roll_is_not_begun_twice_nor_ended_before_it_began(shop: Shop, stage: ShopStage) -> None:
    webhook.sync(stage)
    with pytest.raises(NotYet, match="begin with"):
        webhook.finish(stage, int(shop.clock()))
    webhook.roll(stage, wait=lambda: None)
    with pytest.raises(NotYet, match="a roll is under way"):
        webhook.roll(stage, wait=lambda: None)


def test_a_roll_is_not_ended_while_something_is_still_to_be_delivered(shop: Shop, stage: ShopStage) -> None:
    webhook.sync(stage)
    webhook.roll(stage, wait=lambda: None)
    shop.webhook.answers = [503] * 6
    shop.sell_and_pay()
    shop.webhook.wait_for(bool)
    with pytest.raises(NotYet, match="still has to deliver evt_"):
        webhook.finish(stage, int(shop.clock()))
    assert len(stage.in_force) == 2
