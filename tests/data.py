"""What many tests speak of: a product, a purchase of it, a player, and the samples of `events/`."""

import json
from pathlib import Path
from typing import Any

from nyanko.catalogue import Product
from nyanko.facts import Facts
from nyanko.players import Player
from nyanko.purchases import Purchase

MIKE = Player("02" + "ab" * 32, "jm_1", "ミケ", "1990-04", profile_read_at=1_000)
STARTER_PACK = Product(
    product_id="neko_starter_pack",
    name="ねこスターターパック",
    unit_amount=500,
    currency="jpy",
    items={"cat_food": 10, "toy_mouse": 1},
)
THREE_PACKS = Purchase(
    purchase_id="pur_mike",
    player_id="02mike",
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
