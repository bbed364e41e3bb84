"""A shop with its players, Stripe, AWS and operators, in one thread: every task of the pipeline takes turns.

What is shipped runs as it is shipped: the handlers of `functions/`, the definition of the workflow, the use
cases of operators, the adapters. Below the adapters everything is played in memory.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from math import inf
from typing import Any
from unittest import mock

from botocore.exceptions import BotoCoreError, ClientError

from local import foundation
from nyanko import push
from nyanko.composition import clock, function, telemetry
from nyanko.composition.function import adapters
from nyanko.errors import BadInput, Permanent, Retryable
from nyanko.refunds import NotRefundable, RefundedBefore
from nyanko.use_cases.reconcile import CHECKPOINT
from tests import template
from tests.walk import oracle, people
from tests.walk.aws import Aws, Message, is_injected
from tests.walk.dynamodb import DynamoDB
from tests.walk.executions import DEAD_LETTERS, Executions
from tests.walk.names import Names
from tests.walk.people import Order
from tests.walk.stripe import API_KEY, SECRET, Stripe
from tests.walk.tasks import ENDLESS, Crashed, Fault, Task, Tasks, TimedOut
from tests.workflow.lambda_runtime import FUNCTIONS, _environment

START = 1_788_220_000
"""Epoch seconds UTC: two hours before a month ends in Japan."""

QUEUE: str = template.resolved({"Ref": "PaymentEvents"})
VISIBILITY_SECONDS: int = template.RESOURCES["PaymentEvents"]["Properties"]["VisibilityTimeout"]
SCHEMAS = json.loads(foundation.TABLES.read_text())
ENVIRONMENT = {
    **{name: value for one in FUNCTIONS.values() for name, value in _environment(one).items()},
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
}
"""Of all functions together."""

REFUSED = (BadInput, Permanent, Retryable, NotRefundable, RefundedBefore)
"""How a use case may end for whoever called it."""


class World:
    """The whole shop, as it is at `now` (epoch seconds UTC).

    Of Stripe's `events` it still has to deliver the `undelivered`; our webhook `accepted` some. `orders` and
    the most that was ever due are by purchase; those in `not_counted` did not count towards limits at some
    time. `spends` are what players asked for by id, of which those in `spent` were answered well.
    """

    def __init__(self, endpoint_version: str | None) -> None:
        self.started_at = self.now = float(START)
        self.orders: dict[str, Order] = {}
        self.skew = 0
        self.tasks = Tasks(self._time, self._look)
        self.dynamodb = DynamoDB(SCHEMAS, _table)
        self.executions = Executions(self.tasks, self._time, self.named)
        self.stepfunctions = self.executions.stepfunctions
        secrets = {
            _table("stripe_api_key"): API_KEY,
            _table("stripe_webhook_secrets"): SECRET,
            _table("joinmake_api_key"): "",
        }
        self.aws = self.executions.aws = Aws(self.tasks, self.dynamodb, self.stepfunctions, secrets)
        self.stripe = Stripe(self.tasks, self._time, endpoint_version)
        self.names = Names(self.stripe.account, self.orders)
        self.events: list[str] = []
        self.undelivered: list[str] = []
        self.accepted: set[str] = set()
        self.most_due: Counter[str] = Counter()
        self.purchases: dict[str, dict[str, Any]] = {}
        self.not_counted: set[str] = set()
        self.spends: dict[str, tuple[str, str, int]] = {}
        self.spent: set[str] = set()
        self.forged: list[str | None] = []
        self.refusals: Counter[str] = Counter()
        self._looked_at = 0

    def open_shop(self) -> None:
        for product in people.PRODUCTS:
            adapters().products.put(product)
        done = {"since": START, "until": START, "listing": "done", "after": None}
        adapters().checkpoints.put(CHECKPOINT, done)

    # ─── Tasks and time ─────────────────────────────────────────────────────────────────────────────────────

    def begin(self, name: str, work: Callable[[], object], seconds: float = inf) -> None:
        """Begin a task that ends well, or as use cases do, within so much time."""

        def end_well() -> None:
            try:
                work()
            except REFUSED as refused:
                self.refusals[getattr(refused, "code", type(refused).__name__)] += 1
            except (Crashed, TimedOut):
                return
            except (ClientError, BotoCoreError) as error:
                if not is_injected(error):
                    raise

        self.tasks.start(name, end_well, seconds)

    def request(self, name: str, work: Callable[[], object]) -> None:
        """Begin what a player asks of the API, which answers in time or not at all."""
        self.begin(name, lambda: self.tasks.invoke(work, FUNCTIONS["api"].timeout))

    def wake(self, task: Task, calls: int = ENDLESS, fault: Fault | None = None) -> None:
        """Let a task go on, once its time has come."""
        if task.wakes_at > self.now:
            self.pass_time(task.wakes_at - self.now)
        self.tasks.run(task, calls, fault)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.happens(self.stripe.pass_time)

    def catch_up(self) -> None:
        """Let replicas and indexes show what was written."""
        self.dynamodb.catch_up()
        self.stepfunctions.catch_up()

    # ─── Stripe and the queue ───────────────────────────────────────────────────────────────────────────────

    def happens(self, act: Callable[[], object]) -> None:
        """Something happens at Stripe: events are made of it, and what is due changes."""
        act()
        self._take_note()

    def deliver(self, event_id: str) -> None:
        """Stripe delivers an event, for the first time or again."""
        body, signature = self.stripe.delivery(event_id, int(self.now))
        request = {"headers": {"Stripe-Signature": signature}, "body": body, "isBase64Encoded": False}

        def deliver() -> None:
            answer = self.executions.invoke("stripe_webhook", request)
            if answer["statusCode"] == 200:
                self.accepted.add(event_id)
                self.undelivered = [one for one in self.undelivered if one != event_id]

        self.begin(f"webhook of {self.named(event_id)}", deliver)

    @property
    def queue(self) -> list[Message]:
        return self.aws.sqs.queues.setdefault(QUEUE, [])

    def send(self, body: Mapping[str, Any]) -> None:
        self.aws.sqs.send_message(QueueUrl=QUEUE, MessageBody=json.dumps(body))

    @property
    def visible(self) -> list[Message]:
        return [message for message in self.queue if message.visible_at <= self.now]

    def receive(self, messages: list[Message]) -> None:
        """SQS hands a batch to start_payment; what is not done comes again."""
        for message in messages:
            message.receives += 1
            message.visible_at = self.now + VISIBILITY_SECONDS
        records = [
            {
                "messageId": message.message_id,
                "body": message.body,
                "attributes": {"ApproximateReceiveCount": str(message.receives)},
            }
            for message in messages
        ]

        def receive() -> None:
            answer = self.executions.invoke("start_payment", {"Records": records})
            failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
            for message in messages:
                if message.message_id not in failed and message in self.queue:
                    self.queue.remove(message)

        name = f"start_payment of {', '.join(self.named(one) for one in messages)}"
        self.begin(name, receive, FUNCTIONS["start_payment"].timeout)

    def redrive(self) -> None:
        """Send all dead letters back to the queue."""
        letters = self.aws.sqs.queues.setdefault(DEAD_LETTERS, [])
        for letter in letters:
            self.send(json.loads(letter.body))
        letters.clear()

    def parked(self) -> list[str]:
        return [row["event_id"] for row in self.dynamodb.rows("events") if row["state"] == "parked"]

    def named(self, thing: Any) -> str:
        """What a thing is called, be it a task, a message, an id or an object of Stripe's."""
        match thing:
            case Task():
                return thing.name
            case Message():
                told = json.loads(thing.body)
                return f"message of {self.names.event(told.get('event_id') or told['execution'])}"
            case {"object": str()}:
                return self.names.object(thing)
            case str():
                return self.names.event(thing)
        return str(thing)

    def done(self) -> dict[str, int]:
        """How often what matters was done."""
        lines = Counter(line["reason"] for line in self.dynamodb.rows("ledger"))
        notices = self.dynamodb.rows("notices")
        return {
            "grants": lines["purchase"],
            "reversals": lines["reversal"],
            "spends": lines["spend"],
            "notices": len(notices),
            "acknowledgements": sum("acknowledged_at" in notice for notice in notices),
            "frames": sum(map(len, self.aws.sockets.frames.values())),
            "replays": len(self.dynamodb.rows("replays")),
            "refusals": sum(self.refusals.values()),
            "limits reached": self.refusals["LimitReached"],
        }

    # ─── The oracle ─────────────────────────────────────────────────────────────────────────────────────────

    def _time(self) -> float:
        return self.now

    def _take_note(self) -> None:
        """Whatever happens at Stripe makes an event."""
        if fresh := self.stripe.new_events():
            for event_id in fresh:
                self.names.learn(self.stripe.account.objects["event"][event_id])
            wanted = [event_id for event_id in fresh if self.stripe.is_wanted(event_id)]
            self.events += wanted
            self.undelivered += wanted
            for purchase_id in self.orders:
                due = oracle.due(self, purchase_id)
                self.most_due[purchase_id] = max(self.most_due[purchase_id], due)

    def _look(self) -> None:
        self._take_note()
        if self._looked_at != self.dynamodb.version:
            self._looked_at = self.dynamodb.version
            self.purchases = {row["purchase_id"]: row for row in self.dynamodb.rows("purchases")}
            oracle.look(self)


class InTurn(Executor):
    """Does at once what threads would do: a greenlet cannot be switched to from another thread."""

    def __init__(self, max_workers: int) -> None:
        """As many workers as are asked for are one."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        try:
            done.set_result(work(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 raised by whoever asks for the result
            done.set_exception(error)
        return done


def _table(noun: str) -> str:
    return f"{template.STAGE}_jm_nyanko_{noun}"


@contextmanager
def world(endpoint_version: str | None) -> Iterator[World]:
    """A world whose functions find it where they look for AWS, Stripe and the time."""
    made = World(endpoint_version)
    with (
        mock.patch.dict(os.environ, ENVIRONMENT),
        mock.patch.object(function, "aws_clients", return_value=made.aws),
        mock.patch.object(clock, "now", side_effect=lambda: int(made.now) + made.skew),
        mock.patch.object(clock, "sleep", made.tasks.sleep),
        mock.patch.object(push, "ThreadPoolExecutor", InTurn),
        mock.patch.object(telemetry, "single_metric"),
        mock.patch("stripe.RequestsClient", return_value=made.stripe.transport),
    ):
        function.adapters.cache_clear()
        try:
            made.open_shop()
            yield made
        finally:
            made.tasks.close()
            function.adapters.cache_clear()
