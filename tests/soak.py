"""`make soak`: hundreds of purchases at once on a stack of its own, with deliveries that go wrong.

Eight buyers order, pay by card or konbini, and some are refunded or dispute, while Stripe duplicates,
reorders, loses and mis-signs what it delivers and eight senders deliver every payment's event again. At the
end each player's items, ledger and purchases are compared with what the buyers really did. Exits 1 on any
violation. `--purchases N` (default 300) sets the size.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.stack import Ports, Stack
from nyanko.stripe_events import API_VERSION
from tests.e2e.shop import Player, Shop

STARTER_PACK = {"nyan_coin": 100, "catnip": 5, "red_ribbon": 1}
PLAYERS = 20
SENDERS = 8
UNIT_AMOUNT = 500
PATIENCE_SECONDS = 900


@dataclass(frozen=True)
class Sale:
    """What a buyer did, and the packs that must be left of it."""

    player: Player
    purchase_id: str
    session_id: str
    packs: int


def main() -> int:
    options = argparse.ArgumentParser(description="Many purchases at once, with deliveries that go wrong.")
    options.add_argument("--purchases", type=int, default=300)
    options.add_argument("--seed", type=int, default=7)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, Stack(Ports.free(), Path(folder)) as stack:
        shop = Shop(stack)
        try:
            return _soak(shop, chosen.purchases, random.Random(chosen.seed))  # noqa: S311 dice, not keys
        finally:
            shop.close()


def _soak(shop: Shop, purchases: int, dice: random.Random) -> int:
    started = time.monotonic()
    shop.chaos(duplicate=1, reorder=5, drop=0.1, wrong_key=purchases // 10, seed=dice.randrange(1000))
    players = [Player(shop, f"soak {number}") for number in range(PLAYERS)]
    plans = [(players[number % PLAYERS], dice.randint(1, 3), dice.random()) for number in range(purchases)]
    with ThreadPoolExecutor(SENDERS) as buyers:
        sales = list(buyers.map(lambda plan: _buy(shop, *plan), plans))
    bought = time.monotonic() - started
    print(f"{len(sales)} purchases ordered and paid in {bought:.0f} s", flush=True)
    with ThreadPoolExecutor(SENDERS) as senders:
        redelivered = sum(senders.map(lambda sale: _deliver_again(shop, sale), sales))
    shop.chaos()
    _await_quiet(shop, sales)
    violations = _violations(shop, players, sales)
    executions = Counter(one["status"] for one in _executions(shop))
    print(f"redelivered by hand: {redelivered}; executions: {dict(executions)}")
    print(f"packs sold and kept: {sum(sale.packs for sale in sales)}")
    for violation in violations:
        print(f"VIOLATION {violation}")
    print(f"{len(violations)} violations in {time.monotonic() - started:.0f} s")
    return 1 if violations else 0


def _buy(shop: Shop, player: Player, quantity: int, fate: float) -> Sale:
    """Mostly a card; some pay at a konbini or never, some are refunded, some dispute."""
    opened = player.order(quantity=quantity)
    session_id, packs = opened["session_id"], quantity
    if fate < 0.1:
        shop.choose_konbini(opened["url"])
        shop.pay_voucher(session_id)
    elif fate < 0.15:
        shop.choose_konbini(opened["url"])
        shop.let_voucher_expire(session_id)
        packs = 0
    elif fate < 0.2:
        packs = 0
    else:
        shop.pay(opened["url"])
    if 0.2 <= fate < 0.3:
        shop.dashboard(f"charges/{shop.charge(session_id)}/refunds", amount=UNIT_AMOUNT)
        packs = quantity - 1
    elif 0.3 <= fate < 0.35:
        dispute = shop.dashboard(f"charges/{shop.charge(session_id)}/disputes")
        shop.dashboard(f"disputes/{dispute['id']}/{'win' if fate < 0.325 else 'lose'}")
        packs = quantity if fate < 0.325 else 0
    return Sale(player, opened["purchase_id"], session_id, packs)


def _deliver_again(shop: Shop, sale: Sale) -> int:
    """Deliver the event of a paid session once more, beside whatever Stripe delivers of it."""
    session = shop.stripe(f"/v1/checkout/sessions/{sale.session_id}")
    if session["payment_status"] != "paid":
        return 0
    event = {
        "object": "event",
        "id": f"evt_again_{sale.purchase_id}",
        "type": "checkout.session.completed",
        "created": int(time.time()),
        "livemode": False,
        "api_version": API_VERSION,
        "data": {"object": session},
    }
    body = json.dumps(event).encode()
    return sum(shop.deliver(body).status == 200 for _ in range(2))


def _await_quiet(shop: Shop, sales: list[Sale]) -> None:
    """Until nothing is on its way any more: every delivery of Stripe's arrived and every execution ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        undelivered = shop.stripe("/v1/events?delivery_success=false&limit=1")["data"]
        running = [one for one in _executions(shop) if one["status"] == "RUNNING"]
        settled = sum(_granted(sale) == sale.packs for sale in sales)
        print(f"settled: {settled} of {len(sales)}, running executions: {len(running)}", flush=True)
        if not undelivered and not running and settled == len(sales):
            return
        time.sleep(2)


def _granted(sale: Sale) -> int:
    return int(sale.player.get(f"/purchases/{sale.purchase_id}").body["granted"])


def _violations(shop: Shop, players: list[Player], sales: list[Sale]) -> list[str]:
    found = [
        f"{sale.purchase_id}: {granted} packs granted, not {sale.packs}"
        for sale in sales
        if (granted := _granted(sale)) != sale.packs
    ]
    for player in players:
        packs = sum(sale.packs for sale in sales if sale.player is player)
        expected = {item_id: count * packs for item_id, count in STARTER_PACK.items()}
        held = {**dict.fromkeys(STARTER_PACK, 0), **player.items()}
        if held != expected:
            found.append(f"{player.player_id} holds {held}, not {expected}")
        sums = Counter(dict.fromkeys(STARTER_PACK, 0))
        for line in shop.ledger(player.player_id):
            sums[line["item_id"]] += line["delta"]
        if dict(sums) != held:
            found.append(f"the ledger of {player.player_id} sums up to {dict(sums)}, not {held}")
    found += [f"dead letter {letter}" for letter in shop.dead_letters()]
    return found


def _executions(shop: Shop) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = shop.client("stepfunctions").list_executions(
        stateMachineArn=shop.stack.outputs["PaymentStateMachineArn"], maxResults=1000
    )["executions"]
    return listed


if __name__ == "__main__":
    sys.exit(main())
