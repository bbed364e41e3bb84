"""POST /stripe/webhook: 200 once SQS has the event, 400 if Stripe did not sign it, 503 to be sent again."""

from typing import TYPE_CHECKING, Any

from nyanko.apigateway import answer, failure, header, raw_body
from nyanko.composition import clock
from nyanko.composition.function import adapters
from nyanko.composition.telemetry import function_logger, joined, metric
from nyanko.errors import BadInput, Retryable
from nyanko.use_cases.accept_event import accept_event, signed_event

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = function_logger()


@joined(logger)
def lambda_handler(event: dict[str, Any], _context: "LambdaContext") -> dict[str, Any]:
    received_at, signature = clock.now(), header(event, "Stripe-Signature") or ""
    try:
        body = raw_body(event)
        stripe_event = signed_event(body, signature, adapters().secrets.webhook_secrets(), received_at)
        logger.append_keys(event_id=stripe_event.event_id, type=stripe_event.type)
        is_accepted = accept_event(
            stripe_event, body, signature, received_at, queue=adapters().payment_events
        )
    except BadInput as error:
        metric("Rejected")
        logger.warning("rejected", extra={"code": error.code, "reason": error.message})
        return failure(error)
    except Retryable as error:
        metric("NotAccepted")
        logger.exception("not accepted", extra={"code": error.code, "reason": error.message})
        return failure(error)
    if is_accepted:
        metric("Accepted")
    else:
        metric("Ignored")
    logger.info("accepted" if is_accepted else "ignored")
    return answer(200, {"received": True})
