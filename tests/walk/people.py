"""What players and operators do, each by the use case that their function or command calls."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from local.stripe.store import StripeObject
from nyanko.catalog import Product
from nyanko.checkout import Order as CheckoutOrder
from nyanko.checkout import purchase_id_for
from nyanko.composition import clock
from nyanko.composition.function import adapters
from nyanko.spends import Spend
from nyanko.stripe_events import API_VERSION
from nyanko.use_cases.acknowledge_notice import acknowledge_notice
from nyanko.use_cases.open_checkout import OpenCheckout
from nyanko.use_cases.refund import Refund
from nyanko.use_cases.replay import Replay
from tests.data import player_id
from tests.walk.oracle import FORGED

if TYPE_CHECKING:
    from tests.walk.world import World

PLAYERS = {
    player_id(name): birth for name, birth in (("mike", "1990-04"), ("tama", "2010-04"), ("kuro", None))
}
"""Each with the month of birth that they stated."""

MONTHLY_YEN = {"1990-04": None, "2010-04": 20_000, None: 5_000}
PRODUCTS = (
    Product("starter", "スターター", 500, "jpy", {"cat_food": 10, "toy_mouse": 1}),
    Product("coins", "コイン", 120, "jpy", {"nyan_coin": 7}),
    Product("bed", "ベッド", 1_200, "jpy", {"cat_bed": 1, "cat_food": 3}, limit_per_player=4),
    Product("tower", "キャットタワー", 6_000, "jpy", {"cat_tower": 1}),
)


@dataclass(frozen=True)
class Order:
    """What a player asked for; `price` is of one pack in yen, `scopes` are the limits that it falls under,
    each with the most that it allows."""

    name: str
    player_id: str
    price: int
    quantity: int
    items: dict[str, int]
    scopes: dict[str, int]


def order(world: "World", buyer: str, product: Product, quantity: int, key: str) -> None:
    """Order, or order again what the key stands for."""
    purchase_id, birth_month = purchase_id_for(buyer, key), PLAYERS[buyer]
    known = world.orders.get(purchase_id)
    if known is None or purchase_id not in world.purchases:
        month = datetime.fromtimestamp(world.now, UTC) + timedelta(hours=9)
        most = {
            f"product#{product.product_id}": product.limit_per_player,
            f"month#{month:%Y-%m}": MONTHLY_YEN[birth_month],
        }
        scopes = {scope: limit for scope, limit in most.items() if limit is not None}
        name = key.replace("key", "purchase")
        known = Order(name, buyer, product.unit_amount, quantity, dict(product.items), scopes)
        world.orders[purchase_id] = known
    shop = adapters()
    open_checkout = OpenCheckout(
        products=shop.products,
        purchases=shop.purchases,
        limits=shop.limits,
        stripe=lambda: shop.stripe_checkout,
    )
    wanted = CheckoutOrder(product.product_id, quantity)
    world.request(
        f"checkout of {known.name}",
        lambda: open_checkout(purchase_id, buyer, birth_month, wanted, clock.now()),
    )


def spend(world: "World", spender: str, item_id: str, count: int, spend_id: str) -> None:
    world.spends[spend_id] = spender, item_id, count

    def spend() -> None:
        adapters().inventory.spend(spender, Spend(spend_id, item_id, count), clock.now())
        world.spent.add(spend_id)

    world.request(spend_id, spend)


def hello(world: "World", listener: str, connection_id: str) -> None:
    """Open a game, which is told what it has not acknowledged."""
    context = {
        "authorizer": {"player_id": listener},
        "connectionId": connection_id,
        "eventType": "MESSAGE",
        "routeKey": "hello",
    }
    event = {"requestContext": context, "body": json.dumps({"action": "hello"})}
    world.begin(f"hello of {connection_id}", lambda: world.executions.invoke("realtime", event))


def acknowledge(world: "World", listener: str, notice_id: str) -> None:
    notices = adapters().notices
    world.request(
        "acknowledgement", lambda: acknowledge_notice(listener, notice_id, clock.now(), notices=notices)
    )


def reconcile(world: "World") -> None:
    world.begin("reconcile", lambda: world.executions.invoke("reconcile", {}))


def replay(world: "World", event_id: str) -> None:
    shop = adapters()
    replay = Replay(
        "walk",
        events=shop.events,
        executions=shop.payment_executions,
        history=shop.execution_history,
        replays=shop.replays,
        macs=shop.replay_macs,
    )
    world.begin(f"replay of {world.named(event_id)}", lambda: replay.start(event_id, "mended", clock.now()))


def refund(world: "World", purchase_id: str, amount: int) -> None:
    refund = Refund(purchases=adapters().purchases, stripe=lambda: adapters().stripe_refunds)

    def give_back() -> None:
        purchase = adapters().purchases.get(purchase_id)
        if purchase is not None:
            planned = refund.plan(purchase, amount, None, again=False)
            refund.issue(planned, reason="", operator="walk")

    world.begin(f"refund of {world.orders[purchase_id].name}", give_back)


def forge(world: "World", session: StripeObject, event_id: str | None, vouching: Any) -> None:
    """Write a payment into the queue that nobody made, with nothing but the right to write there.

    It has the id of an event of Stripe's, or one of its own.
    """
    world.forged.append(event_id)
    event = {
        "id": event_id or f"evt_forged_{len(world.forged)}",
        "object": "event",
        "api_version": API_VERSION,
        "created": int(world.now),
        "livemode": False,
        "type": "checkout.session.completed",
        "data": {"object": {**session, "status": "complete", "payment_status": "paid"}},
    }
    delivery = {
        "event_id": event["id"],
        "received_at": int(world.now),
        "body": json.dumps(event),
        "signature": FORGED,
        **({} if vouching is None else {"replay": vouching}),
    }
    world.send(delivery)
