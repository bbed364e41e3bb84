"""What the client sees: the JSON of products, purchases and the inventory."""

from collections.abc import Mapping
from typing import Any

from nyanko.catalog import Product
from nyanko.players import Player
from nyanko.purchases import Purchase, status


def player_view(player: Player) -> dict[str, Any]:
    return {
        "player_id": player.player_id,
        "joinmake_user_id": player.joinmake_user_id,
        "display_name": player.display_name,
        "birth_month": player.birth_month,
    }


def product_view(product: Product) -> dict[str, Any]:
    return {
        "product_id": product.product_id,
        "name": product.name,
        "unit_amount": product.unit_amount,
        "currency": product.currency,
        "items": dict(product.items),
    }


def checkout_view(purchase: Purchase) -> dict[str, Any]:
    return {
        "purchase_id": purchase.purchase_id,
        "session_id": purchase.session_id,
        "url": purchase.url,
        "expires_at": purchase.expires_at,
        "amount": purchase.amount,
        "currency": purchase.currency,
    }


def purchase_view(purchase: Purchase) -> dict[str, Any]:
    return {
        "purchase_id": purchase.purchase_id,
        "status": status(purchase),
        "product_id": purchase.product.product_id,
        "name": purchase.product.name,
        "quantity": purchase.quantity,
        "amount": purchase.amount,
        "currency": purchase.currency,
        "paid": purchase.facts.paid,
        "refunded": purchase.facts.refunded,
        "granted": purchase.granted,
        "created_at": purchase.created_at,
        "updated_at": purchase.updated_at,
    }


def inventory_view(quantities: Mapping[str, int]) -> dict[str, Any]:
    return {"items": [item_view(item_id, quantity) for item_id, quantity in sorted(quantities.items())]}


def item_view(item_id: str, quantity: int) -> dict[str, Any]:
    """A negative quantity is debt: taken back after it was spent, to be paid off by later purchases."""
    return {"item_id": item_id, "quantity": max(quantity, 0), "owed": max(-quantity, 0)}
