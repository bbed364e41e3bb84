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

from nyanko.composition import clock
from nyanko.composition.function import adapters
from nyanko.composition.telemetry import function_logger, joined
from nyanko.errors import REFUSALS
from nyanko.frames import error_frame, frame
from nyanko.realtime import read_client_message
from nyanko.use_cases.acknowledge_notice import acknowledge_notice
from nyanko.use_cases.catch_up import catch_up
from nyanko.use_cases.tell_player import TellPlayer

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = function_logger()


@joined(logger)
def lambda_handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    connection = event["requestContext"]
    player_id, connection_id = connection["authorizer"]["player_id"], connection["connectionId"]
    logger.append_keys(connection_id=connection_id)

    tell_player = TellPlayer(
        sockets=adapters().sockets,
        connections=adapters().connections,
        sleep=clock.sleep,
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )

    def tell(frame: str) -> bool:
        return bool(tell_player(player_id, [connection_id], frame).delivered)

    # A client may name any route in its message, but not what kind of event it is.
    match connection["eventType"]:
        case "MESSAGE":
            tell(_answer(event, player_id, connection_id, tell))
        case "DISCONNECT":
            adapters().connections.delete(player_id, [connection_id])
    logger.info(connection["eventType"].lower())
    return {"statusCode": 200}


def _answer(event: dict[str, Any], player_id: str, connection_id: str, tell: Callable[[str], bool]) -> str:
    """What the client is told last."""
    try:
        message = read_client_message(event)
        match message.type:
            case "ping":
                return frame(type="pong")
            case "ack":
                acknowledge_notice(player_id, message.notice_id, clock.now(), notices=adapters().notices)
                return frame(type="acked", notice_id=message.notice_id)
            case "hello":
                return catch_up(
                    player_id,
                    connection_id,
                    clock.now(),
                    tell,
                    connections=adapters().connections,
                    notices=adapters().notices,
                    inventory=adapters().inventory,
                    purchases=adapters().purchases,
                )
    except REFUSALS as error:
        logger.warning("refused", extra={"code": error.code, "reason": error.message})
        return error_frame(error)
