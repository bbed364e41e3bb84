"""Webhook deliveries: signed, repeated until they are answered with 2xx, and remembered attempt by attempt.

Signature: https://docs.stripe.com/webhooks#verify-manually, by every secret in force, dated by the attempt.
Retries: https://docs.stripe.com/webhooks#retries, exponentially later each time; Stripe's hours are seconds
here. As with Stripe, deliveries run beside each other and nothing promises their order. What `chaos` asks for
is done here.
"""

import fnmatch
import json
import threading

import requests

from local.stripe import listeners, versions
from local.stripe.signatures import signature
from local.stripe.store import Account, Attempt, Delivery, StripeObject

MAX_ATTEMPTS = 8
THREADS = 8
TIMEOUT_SECONDS = 10

MANUAL = 0
"""The number of an attempt beside the automatic ones, which count from 1 and stop at the first success."""

LOST = "lost on the way"
WRONG_KEY = "whsec_not_the_secret_of_this_endpoint"


def publish(account: Account, event: StripeObject) -> None:
    """Start delivering a new event to every endpoint that wants it."""
    deliveries = [
        Delivery(event["id"], endpoint["id"])
        for endpoint in account.objects["webhook_endpoint"].values()
        if _wants(endpoint, event["type"])
    ]
    account.deliveries[event["id"]] = deliveries
    for delivery in deliveries:
        after = account.chaos.detour()
        _dispatch(account, delivery, 1, after)
        for _ in range(account.chaos.duplicate):
            _dispatch(account, delivery, MANUAL, after)
    listeners.tell(account, event)


def resend(account: Account, event: StripeObject, endpoint_id: str | None = None) -> list[Delivery]:
    """Deliver once more, whatever came of it before: to one endpoint, or to all that want the event now."""
    deliveries = account.deliveries[event["id"]]
    known = {delivery.endpoint_id for delivery in deliveries}
    for endpoint in account.objects["webhook_endpoint"].values():
        if _wants(endpoint, event["type"]) and endpoint["id"] not in known:
            deliveries.append(Delivery(event["id"], endpoint["id"]))
    for delivery in deliveries:
        if endpoint_id in (None, delivery.endpoint_id):
            _dispatch(account, delivery, MANUAL)
    if endpoint_id is None:
        listeners.tell(account, event)
    return deliveries


def rendered(account: Account, event: StripeObject) -> StripeObject:
    """The event with the number of endpoints that have not answered it with 2xx."""
    deliveries = account.deliveries[event["id"]]
    return {**event, "pending_webhooks": sum(delivery.state != "succeeded" for delivery in deliveries)}


class Courier:
    """The threads that carry what is in the account's outbox."""

    def __init__(self, account: Account, retry_base: float) -> None:
        """`retry_base` is the wait before the second attempt in seconds; each later one is twice as long."""
        self._account = account
        self._retry_base = retry_base
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Return when no attempt is under way; what was still to be delivered is forgotten."""
        self._account.outbox.close()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (item := self._account.outbox.get()) is not None:
            self._attempt(*item)

    def _attempt(self, delivery: Delivery, number: int) -> None:
        account = self._account
        with account.lock:
            endpoint = account.objects["webhook_endpoint"].get(delivery.endpoint_id)
            if endpoint is None or endpoint["status"] != "enabled":
                if delivery.state == "pending":
                    delivery.state = "failed"
                return
            if number > 1 and delivery.state != "pending":
                return
            at = account.now()
            body = _body(account, endpoint, delivery)
            secrets = [WRONG_KEY] if account.chaos.spoils_key() else _secrets_in_force(account, endpoint)
            header = signature(body, secrets, at + account.chaos.clock_skew)
            lost = account.chaos.loses_attempt()
        outcome = LOST if lost else _send(endpoint["url"], body, header)
        with account.lock:
            attempt = Attempt(at, outcome)
            delivery.attempts.append(attempt)
            if attempt.succeeded:
                delivery.state = "succeeded"
            elif number != MANUAL and delivery.state == "pending":
                if number < MAX_ATTEMPTS:
                    _dispatch(account, delivery, number + 1, self._retry_base * 2 ** (number - 1))
                else:
                    delivery.state = "failed"


def _dispatch(account: Account, delivery: Delivery, number: int, after: float = 0.0) -> None:
    account.outbox.put((delivery, number), after + account.chaos.delay)


def _wants(endpoint: StripeObject, event_type: str) -> bool:
    return endpoint["status"] == "enabled" and any(
        fnmatch.fnmatchcase(event_type, pattern) for pattern in endpoint["enabled_events"]
    )


def _body(account: Account, endpoint: StripeObject, delivery: Delivery) -> bytes:
    """In the endpoint's own API version if it has one, else in the event's
    (https://docs.stripe.com/webhooks/versioning)."""
    event = rendered(account, account.objects["event"][delivery.event_id])
    version = endpoint["api_version"] or event["api_version"]
    told = versions.render({**event, "api_version": version}, version)
    return json.dumps(told, indent=2, ensure_ascii=False).encode()


def _secrets_in_force(account: Account, endpoint: StripeObject) -> list[str]:
    return [
        secret.value
        for secret in account.signing_secrets[endpoint["id"]]
        if secret.expires_at is None or secret.expires_at > account.now()
    ]


def _send(url: str, body: bytes, header: str) -> int | str:
    """POST once, without following redirects, which count as refusals; the reason if there was no answer."""
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Stripe-Signature": header,
    }
    try:
        with requests.Session() as session:
            # Neither a proxy nor a .netrc of the user's has any business here.
            session.trust_env = False
            answer = session.post(
                url, data=body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
            )
            return answer.status_code
    except requests.RequestException as error:
        return type(error).__name__
