"""POST /stripe/webhook: 200 once SQS has the event, 400 if Stripe did not sign it, 503 to be sent again.

A type of event that says nothing of purchases ends here: it is none that the endpoint asks Stripe for.
"""

from typing import Any

from nyanko import wiring
from nyanko.deliveries import delivery
from nyanko.errors import BadInput, Retryable
from nyanko.http import answer, failure, header, raw_body
from nyanko.stripe_events import HANDLED_EVENTS, parse
from nyanko.stripe_signature import check_signature

logger = wiring.logger()


def lambda_handler(proxy_event: dict[str, Any], _context: object) -> dict[str, Any]:
    received_at = wiring.now()
    signature = header(proxy_event, "Stripe-Signature")
    try:
        body = raw_body(proxy_event)
        check_signature(body, signature, wiring.webhook_secrets(), received_at)
        event = parse(body)
        if event.type not in HANDLED_EVENTS:
            wiring.metric("Ignored")
            logger.info("ignored", extra={"event_id": event.event_id, "type": event.type})
            return answer(200, {"received": True})
        wiring.payment_events().send(delivery(event.event_id, received_at, body.decode(), signature or ""))
    except BadInput as error:
        wiring.metric("Rejected")
        logger.warning("rejected", extra={"code": error.code, "reason": error.message})
        return failure(error)
    except Retryable as error:
        wiring.metric("NotAccepted")
        logger.exception("not accepted", extra={"code": error.code, "reason": error.message})
        return failure(error)
    wiring.metric("Accepted")
    logger.info("accepted", extra={"event_id": event.event_id, "type": event.type})
    return answer(200, {"received": True})
