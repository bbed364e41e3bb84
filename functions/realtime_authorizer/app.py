"""Lambda authorizer of the WebSocket API: whose ticket is it, and does the page that connects belong to us?

Input and answer: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html.
API Gateway answers 401 by itself when there is no ticket, 403 to a Deny, and caches neither.
"""

from typing import TYPE_CHECKING, Any

from nyanko.apigateway import header
from nyanko.composition import clock
from nyanko.composition.function import adapters, frontend_origin
from nyanko.composition.telemetry import function_logger, joined
from nyanko.tickets import ticket_hash

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = function_logger()


@joined(logger)
def lambda_handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    player_id = _player_id(event)
    statement = {
        "Effect": "Allow" if player_id else "Deny",
        "Action": "execute-api:Invoke",
        "Resource": event["methodArn"],
    }
    return {
        "principalId": player_id or "nobody",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"player_id": player_id or ""},
    }


def _player_id(event: dict[str, Any]) -> str | None:
    """The ticket's player; the ticket is used up unless the page is another's."""
    origin, query = header(event, "Origin"), event["queryStringParameters"]
    # No same-origin policy guards WebSockets. Every browser sends the Origin; what is no browser sends none.
    if origin not in (None, frontend_origin()):
        logger.warning("refused", extra={"origin": origin})
        return None
    hashed = ticket_hash(query["ticket"])
    player_id = adapters().tickets.redeem(hashed, query.get("player_id"), clock.now())
    if player_id is None:
        logger.info("refused", extra={"reason": "the ticket is unknown, used, expired or another player's"})
    return player_id
