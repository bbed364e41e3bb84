"""The player's REST API: shop, checkout, purchases and inventory."""

import nyanko.composition.collector  # noqa: F401, I001 before anything large

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from nyanko.apigateway import failure
from nyanko.checkout import purchase_id_for, read_order
from nyanko.composition import clock, function
from nyanko.composition.function import adapters
from nyanko.composition.telemetry import function_logger, joined
from nyanko.errors import REFUSALS, BadInput, Refusal
from nyanko.notices import notice_view
from nyanko.pages import cursor, read_page
from nyanko.spends import read_spend
from nyanko.tickets import TICKET_SECONDS, new_ticket, ticket_hash
from nyanko.use_cases.acknowledge_notice import acknowledge_notice
from nyanko.use_cases.open_checkout import OpenCheckout
from nyanko.use_cases.read_player import fresh_player
from nyanko.views import checkout_view, inventory_view, item_view, player_view, product_view, purchase_view

logger = function_logger()
app = APIGatewayRestResolver(
    cors=CORSConfig(
        allow_origin=function.frontend_origin(),
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key"],
        expose_headers=["Retry-After", "X-Request-Id"],
        max_age=600,
    )
)


@app.get("/health")
def health() -> dict[str, Any]:
    return {"status": "ok", "stage": adapters().stage, "version": function.version()}


@app.get("/products")
def list_products() -> dict[str, Any]:
    now = clock.now()
    return {
        "products": [product_view(product) for product in adapters().products.all() if product.on_sale(now)]
    }


@app.post("/checkout")
def checkout() -> tuple[dict[str, Any], int]:
    order = read_order(_json_body())
    purchase_id = purchase_id_for(_player_id(), app.current_event.headers.get("Idempotency-Key"))
    logger.append_keys(purchase_id=purchase_id)
    open_checkout = OpenCheckout(
        products=adapters().products,
        purchases=adapters().purchases,
        limits=adapters().limits,
        stripe=lambda: adapters().stripe_checkout,
    )
    purchase = open_checkout(purchase_id, _player_id(), _birth_month(), order, clock.now())
    logger.info("checkout", extra={"session_id": purchase.session_id})
    return checkout_view(purchase), HTTPStatus.CREATED


@app.get("/me")
def show_player() -> dict[str, Any]:
    player = fresh_player(_player_id(), clock.now(), players=adapters().players, joinmake=adapters().joinmake)
    return player_view(player)


@app.get("/purchases")
def list_purchases() -> dict[str, Any]:
    page = read_page(app.current_event.query_string_parameters)
    purchases, last = adapters().purchases.of_player(_player_id(), page)
    return {"purchases": [purchase_view(purchase) for purchase in purchases], "next_cursor": cursor(last)}


@app.get("/purchases/<purchase_id>")
def show_purchase(purchase_id: str) -> dict[str, Any]:
    purchase = adapters().purchases.get(purchase_id)
    if purchase is None or purchase.player_id != _player_id():
        raise BadInput("NotFound", f"you have no purchase {purchase_id}")
    return purchase_view(purchase)


@app.get("/inventory")
def show_inventory() -> dict[str, Any]:
    return inventory_view(adapters().inventory.of_player(_player_id()))


@app.post("/inventory/<item_id>/spend")
def spend_item(item_id: str) -> dict[str, Any]:
    player_id, spend = _player_id(), read_spend(item_id, _json_body())
    adapters().inventory.spend(player_id, spend, clock.now())
    left = item_view(item_id, adapters().inventory.quantity(player_id, item_id))
    return {"spend_id": spend.spend_id, "spent": spend.count, **left}


@app.get("/notices")
def list_notices() -> dict[str, Any]:
    return {"notices": [notice_view(notice) for notice in adapters().notices.unseen(_player_id())]}


@app.post("/notices/<notice_id>/ack")
def acknowledge(notice_id: str) -> dict[str, Any]:
    acknowledge_notice(_player_id(), notice_id, clock.now(), notices=adapters().notices)
    return {"notice_id": notice_id, "acknowledged": True}


@app.post("/realtime/ticket")
def issue_ticket() -> tuple[dict[str, Any], int]:
    ticket = new_ticket()
    adapters().tickets.put(ticket_hash(ticket), _player_id(), clock.now() + TICKET_SECONDS)
    return {
        "ticket": ticket,
        "url": function.realtime_url(),
        "expires_in": TICKET_SECONDS,
    }, HTTPStatus.CREATED


@app.exception_handler([*REFUSALS])  # type: ignore[untyped-decorator] # Powertools' own
def refuse(error: Refusal) -> Response[str]:
    return _refusal(error)


@app.not_found
def not_found(_error: Exception) -> Response[str]:
    asked = app.current_event
    return _refusal(BadInput("NotFound", f"there is no {asked.http_method} {asked.path}"))


@joined(logger)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request_id = event["requestContext"]["requestId"]
    logger.set_correlation_id(request_id)
    answered = app.resolve(event, context)
    answered["multiValueHeaders"]["X-Request-Id"] = [request_id]
    return answered


def _player_id() -> str:
    """Who calls, as the authorizer found out; no parameter of the request names a player."""
    player_id: str = app.current_event.request_context.authorizer["player_id"]
    return player_id


def _birth_month() -> str | None:
    """`YYYY-MM` if the player stated it; API Gateway's context knows no null."""
    return app.current_event.request_context.authorizer["birth_month"] or None


def _json_body() -> Any:  # noqa: ANN401 whatever JSON the client sent
    try:
        return app.current_event.json_body
    except (ValueError, RecursionError):
        raise BadInput("InvalidRequest", "the body is not JSON in UTF-8") from None


def _refusal(error: Refusal) -> Response[str]:
    logger.warning("refused", extra={"code": error.code, "reason": error.message})
    refusal = failure(error)
    return Response(status_code=refusal["statusCode"], headers=refusal["headers"], body=refusal["body"])
