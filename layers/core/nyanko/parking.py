"""Why an event is parked."""

import json
from collections.abc import Mapping

OUR_ERRORS = frozenset({"BadInput", "Permanent", "Retryable"})


def parking_reason(error: Mapping[str, str]) -> tuple[str, str]:
    """The reason (one word, for counting and filtering) and the cause (a sentence, for a person).

    `error` is what Step Functions caught: `Error`, and for a function `Cause` with the exception as JSON
    (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html). Our own exceptions
    carry their code before the colon; of all others the error's name is the reason.
    """
    cause = error.get("Cause", "")
    try:
        message = json.loads(cause)["errorMessage"]
    except (ValueError, KeyError, TypeError):
        return error["Error"], cause
    if error["Error"] in OUR_ERRORS:
        return message.partition(":")[0], message
    return error["Error"], message
