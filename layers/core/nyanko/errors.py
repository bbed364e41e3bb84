"""The three ways in which anything here fails, and the one in which the workflow ends early and well.

    Exception
    ├── BadInput    the caller is wrong: HTTP 4xx, never retried
    ├── Permanent   we must not go on: the event is parked and a person looks
    ├── Retryable   the world is briefly wrong: HTTP 503, retried with backoff and jitter
    └── NotOurs     the event says nothing of a purchase of ours: it is recorded as ignored

They are final because Step Functions matches the exact class name, never a base class. Any other
exception is a fault of ours and ends parked as well.
"""

from typing import Literal, final

BadInputCode = Literal[
    "InvalidRequest",
    "InvalidSignature",
    "InvalidToken",
    "MalformedEvent",
    "NotFound",
    "Conflict",
    "NotEnough",
    "LimitReached",
    "IdempotencyMismatch",
    "CheckoutExpired",
]
PermanentCode = Literal[
    "AmountMismatch",
    "BadSignature",
    "MalformedEvent",
    "OtherSession",
    "UnknownPurchase",
    "UnknownToStripe",
    "WrongMode",
]
RetryableCode = Literal[
    "Conflict",
    "JoinmakeUnavailable",
    "NotConfigured",
    "ServiceUnavailable",
    "StripeRefusesKey",
    "StripeUnavailable",
]


@final
class BadInput(Exception):
    """The caller is wrong and is told how.

    `code` is stable and for programs; the message says what was wrong and what to do; `figures` are what a
    program needs of it, such as a shortfall.
    """

    def __init__(self, code: BadInputCode, message: str, **figures: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code: BadInputCode = code
        self.message = message
        self.figures = figures


@final
class Permanent(Exception):
    """Going on would be wrong however often it is tried; `code` is the reason an event is parked for."""

    def __init__(self, code: PermanentCode, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code: PermanentCode = code
        self.message = message


@final
class Retryable(Exception):
    """The same call may succeed later; `code` becomes the parking reason once retries are exhausted."""

    def __init__(self, code: RetryableCode, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code: RetryableCode = code
        self.message = message


Refusal = BadInput | Permanent | Retryable
REFUSALS = (BadInput, Permanent, Retryable)
"""The errors that carry a code."""


@final
class NotOurs(Exception):
    """VerifyEvent's answer for other people's events. A Choice state would say the same, and be billed for
    every purchase (https://aws.amazon.com/step-functions/pricing/: each state entered is a transition)."""
