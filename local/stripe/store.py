"""One Stripe account in memory: its objects, its clock, its webhook deliveries.

Whoever reads or changes it holds `Account.lock`: the server does for each request, the delivery threads
around each attempt, the timer thread around what has come due.
"""

import heapq
import itertools
import queue
import secrets
import string
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from local.stripe.cards import CardEntry
from local.stripe.chaos import Chaos
from local.stripe.due_queue import DueQueue
from local.stripe.errors import missing
from local.stripe.idempotency import IdempotencyKeys

API_VERSION = "2026-10-28.endive"
"""The newest version, that of the SDK in use; `versions` makes the older ones of it."""

ACCOUNT_API_VERSION = "2020-08-27"
"""The default version of a new account here: an old one, so that it differs from what endpoints ask for."""

StripeObject: TypeAlias = dict[str, Any]

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase


@dataclass(slots=True)
class Attempt:
    """One try to deliver: `at` in epoch seconds, `outcome` an HTTP status or the reason why there is none."""

    at: int
    outcome: int | str

    @property
    def succeeded(self) -> bool:
        return isinstance(self.outcome, int) and 200 <= self.outcome < 300


@dataclass(slots=True)
class Delivery:
    """An event on its way to one endpoint, with every attempt so far."""

    event_id: str
    endpoint_id: str
    state: Literal["pending", "succeeded", "failed"] = "pending"
    attempts: list[Attempt] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`rights` are "read" or "write" by resource, None for all; `expires_at` is None until it is rolled."""

    id: str
    value: str
    rights: Mapping[str, str] | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """The API call that is being served, which the events it causes will name."""

    id: str
    idempotency_key: str | None
    key: ApiKey


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """`expires_at` is None for the current secret, epoch seconds for one that was rolled."""

    value: str
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays, as typed on the hosted page."""

    email: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """Without a card it is konbini."""

    payer: Payer
    card: CardEntry | None


@dataclass(slots=True)
class Listener:
    """A session of Stripe's CLI; `responses` is what was answered to the events that it forwarded."""

    id: str
    secret: str
    outbox: "queue.SimpleQueue[str | None]" = field(default_factory=queue.SimpleQueue)
    responses: "queue.SimpleQueue[dict[str, Any]]" = field(default_factory=queue.SimpleQueue)


class Account:
    def __init__(
        self,
        *,
        livemode: bool = False,
        api_version: str = ACCOUNT_API_VERSION,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`api_version` is the account's default (https://docs.stripe.com/api/versioning)."""
        self.livemode = livemode
        self.api_version = api_version
        self.lock = threading.RLock()
        self.request: ApiRequest | None = None
        self.keys: dict[str, ApiKey] = {}
        self.objects: dict[str, dict[str, StripeObject]] = defaultdict(dict)
        self.line_items: dict[str, list[StripeObject]] = {}
        self.checkout_params: dict[str, dict[str, Any]] = {}
        self.payment_methods: dict[str, PaymentMethod] = {}
        self.signing_secrets: dict[str, list[SigningSecret]] = {}
        self.chaos = Chaos()
        self.listeners: dict[str, Listener] = {}
        self.deliveries: dict[str, list[Delivery]] = {}
        self.answers = IdempotencyKeys(self.now)
        self.outbox: DueQueue[tuple[Delivery, int]] = DueQueue()
        self._clock = clock
        self._fragment = random_text(6)
        self._counter = itertools.count(1)
        self._timers: list[tuple[int, int, Callable[[], None]]] = []

    @contextmanager
    def at_work(self, request: ApiRequest | None = None) -> Iterator[None]:
        """Hold the account for one request, after all that has come due before it."""
        with self.lock:
            self.run_due()
            self.request = request
            try:
                yield
            finally:
                self.request = None

    def now(self) -> int:
        """Epoch seconds UTC."""
        return int(self._clock())

    def new_id(self, prefix: str) -> str:
        """An id that sorts after all earlier ones, and that no other run of the stand-in has given."""
        milliseconds = _base62(int(self._clock() * 1000), width=8)
        return f"{prefix}{milliseconds}{self._fragment}{_base62(next(self._counter), width=8)}"

    def add(self, stripe_object: StripeObject) -> StripeObject:
        self.objects[stripe_object["object"]][stripe_object["id"]] = stripe_object
        return stripe_object

    def get(self, noun: str, key: str, *, param: str = "id", status: int = 404) -> StripeObject:
        """Raises `ApiError` (resource_missing) when there is none."""
        found = self.objects[noun].get(key)
        if found is None:
            raise missing(noun, key, param, status)
        return found

    def find(self, key: str) -> StripeObject | None:
        """The object of whatever kind that has this id."""
        return next((objects[key] for objects in self.objects.values() if key in objects), None)

    def every(self, noun: str) -> list[StripeObject]:
        """All objects of a kind, the newest first, as Stripe lists them."""
        return list(reversed(self.objects[noun].values()))

    def at(self, due: int, action: Callable[[], None]) -> None:
        """Have `run_due` do the action once the clock shows `due` (epoch seconds)."""
        heapq.heappush(self._timers, (due, next(self._counter), action))

    def run_due(self) -> None:
        while self._timers and self._timers[0][0] <= self.now():
            heapq.heappop(self._timers)[2]()


def random_text(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _base62(number: int, width: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits.rjust(width, ALPHABET[0])
