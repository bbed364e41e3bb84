"""A shop that speaks to the Stripe stand-in as the project does: by SDK, by plain forms, by webhook."""

import http.server
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import requests
import stripe

from local.stripe.server import StandIn
from local.stripe.store import ACCOUNT_API_VERSION
from tests.data import MIKES_PURCHASE

API_VERSION = "2026-10-28.endive"
PATIENCE_SECONDS = 10

GOOD_CARD = "4242 4242 4242 4242"
DECLINED_CARD = "4000 0000 0000 0002"
THREE_D_SECURE_CARD = "4000 0025 0000 3155"


@dataclass(frozen=True)
class Arrival:
    """One POST to the webhook, as it came over the wire."""

    body: bytes
    headers: dict[str, str]
    status: int

    @property
    def signature(self) -> str:
        return self.headers["Stripe-Signature"]


class Webhook:
    """A webhook endpoint that writes down what arrives and answers 200, or what `answers` says first."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.answers: list[int] = []
        self._changed = threading.Condition()
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = webhook._arrive(body, dict(self.headers))
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", webhook.url)
                self.end_headers()

            def do_GET(self) -> None:
                """Where a client that follows redirects would end."""
                webhook._arrive(b"", dict(self.headers))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class names it
                """Keep the test's output clean."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/stripe/webhook"

    def wait_for(self, predicate: Callable[[list[Arrival]], bool]) -> list[Arrival]:
        """What has arrived, once it is what the test waits for."""
        with self._changed:
            assert self._changed.wait_for(lambda: predicate(self.arrivals), PATIENCE_SECONDS), self.arrivals
            return list(self.arrivals)

    def _arrive(self, body: bytes, headers: dict[str, str]) -> int:
        with self._changed:
            status = self.answers.pop(0) if self.answers else 200
            self.arrivals.append(Arrival(body, headers, status))
            self._changed.notify_all()
            return status

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Clock:
    """Real time, moved forward at will; in epoch seconds."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Shop:
    """`account_version` is the account's default API version; the shop itself asks for `API_VERSION`."""

    def __init__(self, *, retry_base: float = 0.02, account_version: str = ACCOUNT_API_VERSION) -> None:
        self.clock = Clock()
        self.stand_in = StandIn(retry_base=retry_base, api_version=account_version, clock=self.clock)
        self.stripe = stripe.StripeClient(
            "sk_test_nyanko", base_addresses={"api": self.stand_in.url}, max_network_retries=0
        )
        self.webhook = Webhook()
        self.secret = ""

    def __enter__(self) -> Self:
        stripe.enable_telemetry = False
        self.stand_in.start()
        self.webhook.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stand_in.stop()
        self.webhook.stop()

    def subscribe(self, *event_types: str) -> stripe.WebhookEndpoint:
        """Have Stripe deliver these events, or all, to `webhook`."""
        params: Any = {
            "url": self.webhook.url,
            "enabled_events": list(event_types or ("*",)),
            "api_version": API_VERSION,
        }
        endpoint = self.stripe.v1.webhook_endpoints.create(params)
        assert endpoint.secret is not None
        self.secret = endpoint.secret
        return endpoint

    def received(self, *event_types: str) -> list[stripe.Event]:
        """The verified events once all of these types have arrived, in the order of their arrival."""

        def all_here(arrivals: list[Arrival]) -> bool:
            return set(event_types) <= {event.type for event in self.verified(arrivals)}

        return self.verified(self.webhook.wait_for(all_here))

    def verified(self, arrivals: list[Arrival]) -> list[stripe.Event]:
        return [
            stripe.Webhook.construct_event(arrival.body, arrival.signature, self.secret)
            for arrival in arrivals
            if arrival.status == 200
        ]

    def sell(self, *, unit_amount: int = 500, quantity: int = 2, **params: Any) -> stripe.checkout.Session:
        """Open a session for cat food; further parameters are those of the API."""
        return self.stripe.v1.checkout.sessions.create(self.order(unit_amount, quantity, **params))

    def order(self, unit_amount: int = 500, quantity: int = 2, **params: Any) -> Any:
        return {
            "mode": "payment",
            "line_items": [
                {
                    "quantity": quantity,
                    "price_data": {
                        "currency": "jpy",
                        "unit_amount": unit_amount,
                        "product_data": {"name": "ねこ缶 𓃠"},
                    },
                }
            ],
            "client_reference_id": MIKES_PURCHASE,
            "metadata": {"purchase_id": MIKES_PURCHASE},
            "payment_intent_data": {"metadata": {"purchase_id": MIKES_PURCHASE}},
            "adaptive_pricing": {"enabled": False},
            "locale": "ja",
            "success_url": "https://nyanko.example/?session_id={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://nyanko.example/?canceled=1",
            **params,
        }

    def pay(self, session: stripe.checkout.Session, card: str = GOOD_CARD, **form: str) -> requests.Response:
        assert session.url is not None
        return self.post(
            session.url,
            {"card_number": card, "expiry": "12/40", "cvc": "123", "email": "tama@nyanko.example"} | form,
        )

    def sell_and_pay(self, **params: Any) -> stripe.checkout.Session:
        session = self.sell(**params)
        assert self.pay(session).status_code == 303
        return self.session(session.id)

    def sell_for_konbini(self, *, voucher: str = "", **params: Any) -> stripe.checkout.Session:
        """Sell to somebody who will pay at a konbini; the voucher ends by `pay` or `expire`."""
        session = self.sell(**params)
        assert session.url is not None
        buyer = {"payment_method": "konbini", "email": "tama@nyanko.example", "name": "たま"}
        answer = self.post(session.url, buyer)
        assert answer.headers["Location"] == f"https://nyanko.example/?session_id={session.id}"
        session = self.session(session.id)
        if voucher:
            assert self.post(f"/c/voucher/{session.payment_intent}/{voucher}").status_code == 303
        return session

    def charge_of(self, session: stripe.checkout.Session) -> stripe.Charge:
        assert isinstance(session.payment_intent, str)
        [charge] = self.stripe.v1.charges.list({"payment_intent": session.payment_intent}).data
        return charge

    def session(self, session_id: str) -> stripe.checkout.Session:
        return self.stripe.v1.checkout.sessions.retrieve(session_id)

    def event_types(self) -> list[str]:
        """All that happened so far, the oldest first."""
        events = self.stripe.v1.events.list({"limit": 100}).data
        return [event.type for event in reversed(events)]

    def post(self, url: str, form: dict[str, str] | None = None) -> requests.Response:
        """What a browser without script would do, but redirects are not followed."""
        return requests.post(self._absolute(url), data=form, allow_redirects=False, timeout=PATIENCE_SECONDS)

    def get(self, url: str) -> requests.Response:
        return requests.get(self._absolute(url), allow_redirects=False, timeout=PATIENCE_SECONDS)

    def act(self, method: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        """Do what the dashboard offers, as a JSON client."""
        return requests.request(
            method,
            self._absolute(path),
            json=body,
            headers={"Accept": "application/json"},
            timeout=PATIENCE_SECONDS,
        )

    def _absolute(self, url: str) -> str:
        return url if url.startswith("http") else self.stand_in.url + url
