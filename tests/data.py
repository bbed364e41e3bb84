"""What many tests speak of: a product, a purchase of it, a player, and the samples of `events/`."""

import json
from pathlib import Path
from typing import Any

from nyanko.catalog import Product
from nyanko.facts import Facts
from nyanko.players import Player
from nyanko.purchases import Purchase


def purchase_id(name: str | int) -> str:
    """An id as a checkout makes one; its digits spell a name of up to 16 letters, and sort as names do."""
    return f"pur_{str(name).encode().hex():0<32}"


def player_id(name: str) -> str:
    """An id as Web3Auth vouches for one, a compressed public key; its digits spell the name."""
    return f"02{name.encode().hex():0<64}"


def name_in(purchase_id: str) -> str:
    """The name that the id spells; all its digits if it spells none."""
    digits = purchase_id.removeprefix("pur_")
    spelt = bytes.fromhex(digits).rstrip(b"\0")
    return spelt.decode() if spelt.isalnum() else digits


MIKES_PURCHASE, TAMAS_PURCHASE, KUROS_PURCHASE = map(purchase_id, ("mike", "tama", "kuro"))
MIKE = Player(player_id("mike"), "jm_1", "ミケ", "1990-04", profile_read_at=1_000)
STARTER_PACK = Product(
    product_id="neko_starter_pack",
    name="ねこスターターパック",
    unit_amount=500,
    currency="jpy",
    items={"cat_food": 10, "toy_mouse": 1},
)
THREE_PACKS = Purchase(
    purchase_id=MIKES_PURCHASE,
    player_id=MIKE.player_id,
    product=STARTER_PACK,
    quantity=3,
    created_at=1_700_000_000,
    updated_at=1_700_000_000,
)
PAID = Facts(paid=1500, payment_intent="pi_mike")

SAMPLES: dict[str, Any] = {
    path.stem: json.loads(path.read_text())
    for path in (Path(__file__).parent.parent / "events").glob("*.json")
}
"""What each function is called with, by its folder; together they are one purchase on its way."""

EVENT_ID: str = SAMPLES["grant_items"]["event_id"]
