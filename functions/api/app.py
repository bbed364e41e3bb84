"""The player's REST API: shop, checkout, purchases and inventory."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from nyanko import wiring
from nyanko.checkout import Order, check_same_order, new_purchase, purchase_id_for, read_order
from nyanko.errors import BadInput, Permanent, Retryable
from nyanko.http import failure, header, json_body
from nyanko.limits import check_limit, limits_of
from nyanko.pages import cursor, read_page
from nyanko.purchases import Purchase
from nyanko.spends import read_spend
from nyanko.tickets import TICKET_SECONDS, new_ticket, ticket_hash
from nyanko.views import (
    checkout_view,
    inventory_view,
    item_view,
    notice_view,
    player_view,
    product_view,
    purchase_view,
)

logger = wiring.logger()
app = APIGatewayRestResolver(
    cors=CORSConfig(
        allow_origin=wiring.frontend_origin(),
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key"],
        expose_headers=["Retry-After", "X-Request-Id"],
        max_age=600,
    )
)

# Each attempt that fails means that another checkout of the same player came through.
CHECKOUT_ATTEMPTS = 5


@app.get("/health")
def health() -> dict[str, Any]:
    return {"status": "ok", "stage": wiring.stage(), "version": wiring.version()}


@app.get("/products")
def list_products() -> dict[str, Any]:
    now = wiring.now()
    return {
        "products": [product_view(product) for product in wiring.products().all() if product.on_sale(now)]
    }


@app.post("/checkout")
def checkout() -> tuple[dict[str, Any], int]:
    now, proxy_event = wiring.now(), app.current_event.raw_event
    order = read_order(json_body(proxy_event))
    purchase_id = purchase_id_for(_player_id(), header(proxy_event, "Idempotency-Key"))
    purchase = _purchase(purchase_id, order, now)
    check_same_order(purchase, order, now)
    if purchase.session_id is None:
        session_id, url = wiring.stripe_checkout().open_session(purchase)
        purchase = wiring.purchases().attach_session(purchase, session_id, url)
    logger.info("checkout", extra={"purchase_id": purchase_id, "session_id": purchase.session_id})
    return checkout_view(purchase), HTTPStatus.CREATED


@app.get("/me")
def show_player() -> dict[str, Any]:
    now, player_id = wiring.now(), _player_id()
    player = wiring.players().get(player_id)
    if player is None or player.profile_is_old(now):
        try:
            player = wiring.joinmake().player(player_id, now)
            wiring.players().put(player)
        except Retryable:
            # A known player plays on with what Join&make said last.
            if player is None:
                raise
    return player_view(player)


@app.get("/purchases")
def list_purchases() -> dict[str, Any]:
    page = read_page(app.current_event.query_string_parameters)
    purchases, last = wiring.purchases().of_player(_player_id(), page)
    return {"purchases": [purchase_view(purchase) for purchase in purchases], "next_cursor": cursor(last)}


@app.get("/purchases/<purchase_id>")
def show_purchase(purchase_id: str) -> dict[str, Any]:
    purchase = wiring.purchases().get(purchase_id)
    if purchase is None or purchase.player_id != _player_id():
        raise BadInput("NotFound", f"you have no purchase {purchase_id}")
    return purchase_view(purchase)


@app.get("/inventory")
def show_inventory() -> dict[str, Any]:
    return inventory_view(wiring.inventory().of_player(_player_id()))


@app.post("/inventory/<item_id>/spend")
def spend_item(item_id: str) -> dict[str, Any]:
    player_id, spend = _player_id(), read_spend(item_id, json_body(app.current_event.raw_event))
    wiring.inventory().spend(player_id, spend, wiring.now())
    return {
        "spend_id": spend.spend_id,
        "spent": spend.count,
        **item_view(item_id, wiring.inventory().quantity(player_id, item_id)),
    }


@app.get("/notices")
def list_notices() -> dict[str, Any]:
    return {"notices": [notice_view(row) for row in wiring.notices().unseen(_player_id())]}


@app.post("/notices/<notice_id>/ack")
def acknowledge_notice(notice_id: str) -> dict[str, Any]:
    if not wiring.notices().acknowledge(_player_id(), notice_id, wiring.now()):
        raise BadInput("NotFound", f"you have no notice {notice_id}")
    return {"notice_id": notice_id, "acknowledged": True}


@app.post("/realtime/ticket")
def issue_ticket() -> tuple[dict[str, Any], int]:
    ticket = new_ticket()
    wiring.tickets().put(ticket_hash(ticket), _player_id(), wiring.now() + TICKET_SECONDS)
    return {
        "ticket": ticket,
        "url": wiring.realtime_url(),
        "expires_in": TICKET_SECONDS,
    }, HTTPStatus.CREATED


@app.exception_handler([BadInput, Permanent, Retryable])  # type: ignore[untyped-decorator] # Powertools' own
def refuse(error: BadInput | Permanent | Retryable) -> Response[str]:
    return _refusal(error)


@app.not_found
def not_found(_error: Exception) -> Response[str]:
    return _refusal(
        BadInput("NotFound", f"there is no {app.current_event.http_method} {app.current_event.path}")
    )


def lambda_handler(proxy_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request_id = proxy_event["requestContext"]["requestId"]
    logger.set_correlation_id(request_id)
    answered = app.resolve(proxy_event, context)
    answered["multiValueHeaders"]["X-Request-Id"] = [request_id]
    return answered


def _player_id() -> str:
    """Who calls, as the authorizer found out; no parameter of the request names a player."""
    player_id: str = app.current_event.request_context.authorizer["player_id"]
    return player_id


def _refusal(error: BadInput | Permanent | Retryable) -> Response[str]:
    logger.warning("refused", extra={"code": error.code, "reason": error.message})
    refusal = failure(error)
    return Response(status_code=refusal["statusCode"], headers=refusal["headers"], body=refusal["body"])


def _purchase(purchase_id: str, order: Order, now: int) -> Purchase:
    """The purchase under this id, written now within its player's limits if there is none yet."""
    for _ in range(CHECKOUT_ATTEMPTS):
        if purchase := wiring.purchases().get(purchase_id):
            return purchase
        product = wiring.products().get(order.product_id)
        if product is None or not product.on_sale(now):
            raise BadInput("NotFound", f"product {order.product_id} is not on sale")
        purchase = new_purchase(purchase_id, _player_id(), product, order.quantity, now)
        lists = []
        for limit in limits_of(product, _birth_month(), now):
            listed = wiring.limits().read(purchase.player_id, limit.scope)
            earlier = wiring.purchases().get_many(listed.purchase_ids)
            lists.append(wiring.limits().write(listed, check_limit(limit, earlier, purchase, now)))
        if wiring.purchases().create(purchase, lists):
            return purchase
    raise Retryable("Conflict", "too many checkouts of yours at once; send it again")


def _birth_month() -> str | None:
    """`YYYY-MM` if the player stated it; API Gateway's context knows no null."""
    return app.current_event.request_context.authorizer["birth_month"] or None
