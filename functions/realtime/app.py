"""The WebSocket API: a game says hello and is told of purchases from then on, and of those it missed.

    game ── connect ?ticket= ──► realtime_authorizer
         ── hello ─────────────► row in connections, then every unseen notice, oldest first, then welcome
         ── ack notice_id ─────► acked
         ── ping ──────────────► pong

A connection has its row from hello on and not from connect, because API Gateway calls one that is still being
established gone, and a push would delete the row. Whatever is said to a client is posted to its connection.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nyanko import wiring
from nyanko.errors import BadInput, Permanent, Retryable
from nyanko.push import push
from nyanko.realtime import MAX_CATCH_UP, error_frame, frame, notice_frame, read_message

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = wiring.logger()


def lambda_handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    connection = event["requestContext"]
    player_id, connection_id = connection["authorizer"]["player_id"], connection["connectionId"]

    def tell(told: str) -> bool:
        pushed = push(
            told,
            [connection_id],
            wiring.sockets().post,
            sleep=wiring.sleep,
            seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
        )
        wiring.connections().delete(player_id, pushed.gone)
        return bool(pushed.delivered)

    # A client may name any route in its message, but not what kind of event it is.
    match connection["eventType"]:
        case "MESSAGE":
            tell(_answer(event, player_id, connection_id, tell))
        case "DISCONNECT":
            wiring.connections().delete(player_id, [connection_id])
    logger.info(connection["eventType"].lower(), extra={"connection_id": connection_id})
    return {"statusCode": 200}


def _answer(event: dict[str, Any], player_id: str, connection_id: str, tell: Callable[[str], bool]) -> str:
    """What the client is told last."""
    try:
        message = read_message(event)
        match message.type:
            case "ping":
                return frame(type="pong")
            case "ack":
                return _acknowledge(player_id, message.notice_id)
            case "hello":
                return _catch_up(player_id, connection_id, tell)
    except (BadInput, Permanent, Retryable) as error:
        logger.warning("refused", extra={"code": error.code, "reason": error.message})
        return error_frame(error)


def _acknowledge(player_id: str, notice_id: str) -> str:
    if not wiring.notices().acknowledge(player_id, notice_id, wiring.now()):
        raise BadInput("NotFound", f"you have no notice {notice_id}")
    return frame(type="acked", notice_id=notice_id)


def _catch_up(player_id: str, connection_id: str, tell: Callable[[str], bool]) -> str:
    # First the row, then the notices: a notice that is written meanwhile is pushed, or seen here, or both.
    wiring.connections().put(player_id, connection_id, wiring.now())
    unseen = wiring.notices().unseen(player_id)
    oldest = unseen[:MAX_CATCH_UP]
    inventory = wiring.inventory().of_player(player_id)
    purchase_ids = sorted({row["notice"]["purchase_id"] for row in oldest})
    purchases = {one.purchase_id: one for one in wiring.purchases().get_many(purchase_ids)}
    told = 0
    for row in oldest:
        if not tell(notice_frame(row, purchases[row["notice"]["purchase_id"]], inventory)):
            break
        told += 1
    return frame(type="welcome", player_id=player_id, more=told < len(unseen))
