"""Why an event is parked, and what it is about."""

import json
from typing import NotRequired, TypedDict

from nyanko.errors import REFUSALS, BadInput
from nyanko.readings import purchase_named_in
from nyanko.stripe_events import StripeEvent, parse

OUR_ERRORS = frozenset(error.__name__ for error in REFUSALS)


class CaughtError(TypedDict):
    """What Step Functions caught: of a function, `Cause` is the exception as JSON
    (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html)."""

    Error: str
    Cause: NotRequired[str]


def parking_reason(error: CaughtError) -> tuple[str, str]:
    """The reason (one word, for counting and filtering) and the cause (a sentence, for a person).

    Our own exceptions carry their code before the colon; of all others the error's name is the reason.
    """
    cause = error.get("Cause", "")
    try:
        message = json.loads(cause)["errorMessage"]
    except (ValueError, KeyError, TypeError):
        return error["Error"], cause
    if error["Error"] in OUR_ERRORS:
        return message.partition(":")[0], message
    return error["Error"], message


def event_in(body: str) -> tuple[StripeEvent | None, str | None]:
    """The event and the purchase that it names, as far as its body can be read: it may be parked for that."""
    try:
        event = parse(body.encode())
    except BadInput:
        return None, None
    return event, purchase_named_in(event.object)
