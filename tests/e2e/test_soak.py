"""Many purchases at once over real HTTP, with deliveries that go wrong: all end with what they paid for.

What orders and faults can do, tests/walk/ searches, without processes and sockets. This is about those.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.e2e.shop import Player, Shop, eventually

STARTER_PACK = {"nyan_coin": 100, "catnip": 5, "red_ribbon": 1}
UNIT_AMOUNT = 500
FATES = (
    "paid",
    "disputed and won",
    "paid at a konbini",
    "voucher expired",
    "refunded in part",
    "disputed and lost",
    "left",
)
PLAYERS, PURCHASES, BUYERS = 4, 28, 4


@dataclass(frozen=True)
class Sale:
    """What a buyer did, and the packs that must be left of it."""

    player: Player
    purchase_id: str
    packs: int


@pytest.fixture
def disturbed(shop: Shop) -> Iterator[Shop]:
    """Stripe delivers twice, in another order, and signs or loses some wrongly."""
    shop.chaos(duplicate=1, reorder=5, drop=0.1, wrong_key=3, seed=7)
    yield shop
    shop.chaos()


def test_many_purchases_at_once_end_as_their_buyers_left_them(disturbed: Shop) -> None:
    players = [Player(disturbed, f"soak {number}") for number in range(PLAYERS)]
    before = {letter["event_id"] for letter in disturbed.dead_letters()}
    plans = [(players[number % PLAYERS], FATES[number % len(FATES)]) for number in range(PURCHASES)]
    with ThreadPoolExecutor(BUYERS) as buyers:
        sales = list(buyers.map(lambda plan: buy(disturbed, *plan), plans))
    disturbed.chaos()
    expected_packs = {sale.purchase_id: sale.packs for sale in sales}
    ended = eventually(lambda: {sale.purchase_id: granted(sale) for sale in sales}, expected_packs.__eq__)
    assert ended == expected_packs
    for player in players:
        packs = sum(sale.packs for sale in sales if sale.player is player)
        expected = {item_id: count * packs for item_id, count in STARTER_PACK.items()}
        assert {**dict.fromkeys(STARTER_PACK, 0), **player.items()} == expected
        lines = Counter(dict.fromkeys(STARTER_PACK, 0))
        for line in disturbed.ledger(player.player_id):
            lines[line["item_id"]] += line["delta"]
        assert dict(lines) == expected
    assert {letter["event_id"] for letter in disturbed.dead_letters()} == before


def buy(shop: Shop, player: Player, fate: str) -> Sale:
    opened = player.order(quantity=2)
    session_id, packs = opened["session_id"], 2
    if fate in ("paid at a konbini", "voucher expired"):
        shop.choose_konbini(opened["url"])
    match fate:
        case "left":
            packs = 0
        case "paid at a konbini":
            shop.pay_voucher(session_id)
        case "voucher expired":
            shop.let_voucher_expire(session_id)
            packs = 0
        case _:
            shop.pay(opened["url"])
    if fate == "refunded in part":
        shop.dashboard(f"charges/{shop.charge(session_id)}/refunds", amount=UNIT_AMOUNT)
        packs = 1
    elif fate.startswith("disputed"):
        won = fate == "disputed and won"
        dispute = shop.dashboard(f"charges/{shop.charge(session_id)}/disputes")
        shop.dashboard(f"disputes/{dispute['id']}/{'win' if won else 'lose'}")
        packs = 2 if won else 0
    return Sale(player, opened["purchase_id"], packs)


def granted(sale: Sale) -> int:
    return int(sale.player.get(f"/purchases/{sale.purchase_id}").body["granted"])
