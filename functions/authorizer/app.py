"""Lambda authorizer of the REST API: who the caller is, by Web3Auth's token.

The answer's shape is that of
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html. API
Gateway caches an Allow and no failure. The text `Unauthorized` is its 401. Any other exception (Join&make is
down for a new player, DynamoDB does not answer) is its AUTHORIZER_FAILURE, which the template turns into 503
with Retry-After. An Allow that the cache kept beyond the token's end is its ACCESS_DENIED, which becomes 401.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nyanko.composition import clock
from nyanko.composition.function import adapters
from nyanko.composition.telemetry import function_logger, joined, metric
from nyanko.errors import BadInput
from nyanko.use_cases.read_player import known_player

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = function_logger()


class Unauthorized(Exception):
    """API Gateway answers 401 to this text alone."""


@joined(logger, expected=Unauthorized)
def lambda_handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    try:
        identity = adapters().web3auth_verifier.verify_authorization(event.get("authorizationToken"))
    except BadInput as error:
        logger.info("refused", extra={"code": error.code, "reason": error.message})
        raise Unauthorized("Unauthorized") from None
    try:
        player, is_new = known_player(
            identity.player_id,
            clock.now(),
            players=adapters().players,
            joinmake=adapters().joinmake,
        )
    except Exception:
        metric("AuthorizerFailed")
        raise
    if is_new:
        logger.info("new player", extra={"player_id": player.player_id})
    api, stage, _ = event["methodArn"].split("/", 2)
    return {
        "principalId": identity.player_id,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "execute-api:Invoke",
                    "Resource": f"{api}/{stage}/*",  # the cache serves the other methods with this answer too
                    "Condition": {"DateLessThan": {"aws:CurrentTime": _iso(identity.expires_at)}},
                }
            ],
        },
        "context": {"player_id": player.player_id, "birth_month": player.birth_month or ""},
    }


def _iso(epoch_seconds: int) -> str:
    return datetime.fromtimestamp(epoch_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
