"""VerifyEvent: is it Stripe's, of this stage, and of which purchase? Says what it means as facts.

Raises `NotOurs` for an event that says nothing of a purchase of ours.
"""

from typing import TYPE_CHECKING

from nyanko.composition import clock
from nyanko.composition.function import adapters
from nyanko.composition.telemetry import function_logger, joined
from nyanko.use_cases.verify_event import authentic_event, verify_event, vouched_by_stripe_or_operator

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from nyanko.adapters.stripe_lookups import StripeLookups
    from nyanko.payloads import VerifiedEvent, VerifyInput

logger = function_logger()


@joined(logger)
def lambda_handler(event: "VerifyInput", _context: "LambdaContext") -> "VerifiedEvent":
    logger.append_keys(event_id=event["delivery"]["event_id"], execution=event["execution"])
    vouch = vouched_by_stripe_or_operator(adapters().secrets.webhook_secrets, lambda: adapters().replay_macs)
    delivery, stripe_event = authentic_event(
        event["delivery"], vouch=vouch, events=lambda: adapters().events, stripe=_stripe, now=clock.now
    )
    logger.append_keys(type=stripe_event.type)
    verified = verify_event(
        delivery,
        stripe_event,
        purchases=lambda: adapters().purchases,
        stripe=_stripe,
        now=clock.now,
        livemode=adapters().livemode,
    )
    logger.append_keys(purchase_id=verified["purchase_id"])
    logger.info("verified")
    return verified


def _stripe() -> "StripeLookups":
    return adapters().stripe_lookups
