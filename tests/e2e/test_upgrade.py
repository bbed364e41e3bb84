"""Stripe's own way to another version of its API: a second endpoint of the same URL, while players buy."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from local.stack import Ports, Stack
from nyanko.adapters.dynamodb import from_item
from nyanko.endpoints import Endpoint
from nyanko.signing_secrets import SigningSecret
from nyanko.stripe_events import API_VERSION, HANDLED_EVENTS
from ops import webhook
from ops.parked import parked
from ops.stages import Stage, local_stage
from tests.e2e.shop import Player, Shop, eventually

OLD_VERSION = "2026-09-30.endive"
MOMENT_SECONDS = 2
"""Instead of the queue's three minutes, after which a copy comes back that met its execution."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop of its own, whose only endpoint has an older version."""
    with Stack(Ports.free(), tmp_path / "stack") as running:
        shop = Shop(running)
        stage = local_stage(running.directory)
        endpoints = stage.adapters.stripe.client.v1.webhook_endpoints
        for endpoint in endpoints.list().data:
            endpoints.delete(endpoint.id)
        wanted: Any = {
            "url": stage.webhook_url,
            "enabled_events": sorted(HANDLED_EVENTS),
            "api_version": OLD_VERSION,
        }
        made = endpoints.create(wanted)
        stage.adapters.secrets.store_signing_secrets([SigningSecret(str(made.secret), made.id)])
        shop.client("sqs").set_queue_attributes(
            QueueUrl=running.outputs["PaymentEventsUrl"],
            Attributes={"VisibilityTimeout": str(MOMENT_SECONDS)},
        )
        learn_secrets(shop)
        yield shop
        shop.close()


def learn_secrets(shop: Shop) -> None:
    """Begin functions anew that know a secret, instead of waiting until they read it anew."""
    client, numbers = shop.client("lambda"), count()
    for function in ("stripe_webhook", "verify_event"):
        name = f"local_jm_nyanko_{function}"
        variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        changed = {**variables, "VERSION": f"{variables.get('VERSION')}-{next(numbers)}"}
        client.update_function_configuration(FunctionName=name, Environment={"Variables": changed})


def test_thirty_players_get_their_items_while_the_endpoint_is_replaced(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = local_stage(shop.stack.directory)
    player, purchases = Player(shop, "mike"), list[str]()

    def buy(number: int) -> None:
        def one(_: int) -> str:
            opened = player.order()
            assert shop.pay(opened["url"]).status == 303
            return str(opened["purchase_id"])

        with ThreadPoolExecutor(2) as buyers:
            purchases.extend(buyers.map(one, range(number)))

    def buy_while_functions_learn() -> None:
        buy(6)
        learn_secrets(shop)

    monkeypatch.setattr(webhook, "wait_for_functions", buy_while_functions_learn)
    buy(6)
    said = webhook.endpoint_of(stage).sync()
    assert "beside" in said
    buy(12)
    all_granted(player, purchases)
    webhook.endpoint_of(stage).finish(0)
    buy(6)
    all_granted(player, purchases)
    assert len(purchases) == 30
    assert parked(stage) == []
    assert [endpoint.api_version for endpoint in endpoints(stage)] == [API_VERSION]
    twice = [row for row in rows(shop) if row["state"] not in {"applied", "ignored"}]
    assert twice == []


def all_granted(player: Player, purchases: list[str]) -> None:
    def waiting() -> list[str]:
        return [one for one in purchases if player.status(one) != "granted"]

    assert eventually(waiting, lambda left: not left) == []


def endpoints(stage: Stage) -> list[Endpoint]:
    return stage.adapters.stripe_endpoints.at(stage.webhook_url)


def rows(shop: Shop) -> list[dict[str, Any]]:
    listed = shop.client("dynamodb").scan(TableName="local_jm_nyanko_events")["Items"]
    return [from_item(item) for item in listed]
