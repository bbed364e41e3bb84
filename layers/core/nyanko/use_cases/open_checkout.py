"""Open a checkout: a purchase within its player's limits, then Stripe's page for it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from nyanko.checkout import Order, check_same_order, new_purchase
from nyanko.errors import BadInput, Retryable
from nyanko.limits import check_limit, limits_of
from nyanko.purchases import Purchase

if TYPE_CHECKING:
    from nyanko.adapters.dynamodb_limits import Limits
    from nyanko.adapters.dynamodb_products import Products
    from nyanko.adapters.dynamodb_purchases import Purchases
    from nyanko.adapters.stripe_checkout import StripeCheckout

ATTEMPTS = 5
"""Each attempt that fails means that another checkout of the same player came through."""


class OpenCheckout:
    """`stripe` is called when a session is opened: its SDK is slow to import."""

    def __init__(
        self,
        *,
        products: "Products",
        purchases: "Purchases",
        limits: "Limits",
        stripe: "Callable[[], StripeCheckout]",
    ) -> None:
        self._products = products
        self._purchases = purchases
        self._limits = limits
        self._stripe = stripe

    def __call__(
        self, purchase_id: str, player_id: str, birth_month: str | None, order: Order, now: int
    ) -> Purchase:
        """The purchase with its session; asked again for the same id and order, the same purchase.

        `birth_month` is `YYYY-MM`, None if the player did not state it. Raises `BadInput` for what is not on
        sale, beyond a limit, or another order under the same id; `Retryable` when it may work later.
        """
        purchase = self._written(purchase_id, player_id, birth_month, order, now)
        check_same_order(purchase, order, now)
        if purchase.session_id is not None:
            return purchase
        session_id, url = self._stripe().open_session(purchase)
        return self._purchases.attach_session(purchase, session_id, url)

    def _written(
        self, purchase_id: str, player_id: str, birth_month: str | None, order: Order, now: int
    ) -> Purchase:
        """The purchase under this id, written now within its player's limits if there is none yet."""
        for _ in range(ATTEMPTS):
            if purchase := self._purchases.get(purchase_id):
                return purchase
            product = self._products.get(order.product_id)
            if product is None or not product.on_sale(now):
                raise BadInput("NotFound", f"product {order.product_id} is not on sale")
            purchase = new_purchase(purchase_id, player_id, product, order.quantity, now)
            lists = []
            for limit in limits_of(product, birth_month, now):
                listed = self._limits.read(player_id, limit.scope)
                earlier = self._purchases.get_many(listed.purchase_ids)
                lists.append(check_limit(limit, listed, earlier, purchase, now))
            if self._purchases.create(purchase, lists):
                return purchase
        raise Retryable("Conflict", "too many checkouts of yours at once; send it again")
