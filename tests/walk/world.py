"""A shop with its players, Stripe, AWS and operators, in one thread: every task of the pipeline takes turns.

What is shipped runs as it is shipped: the handlers of `functions/`, the definition of the workflow, the use
cases of operators, the adapters. Below the adapters everything is played in memory.
"""

import importlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from unittest import mock

from botocore.exceptions import BotoCoreError, ClientError

from local import foundation
from local.stripe.store import StripeObject
from nyanko import push
from nyanko.catalog import Product
from nyanko.checkout import Order as CheckoutOrder
from nyanko.checkout import purchase_id_for
from nyanko.composition import clock, function, telemetry
from nyanko.composition.function import adapters
from nyanko.deliveries import Delivery
from nyanko.errors import BadInput, Permanent, Retryable
from nyanko.refunds import NotRefundable, RefundedBefore
from nyanko.spends import Spend
from nyanko.stripe_events import API_VERSION
from nyanko.use_cases.acknowledge_notice import acknowledge_notice
from nyanko.use_cases.audit import Audit, Finding
from nyanko.use_cases.open_checkout import OpenCheckout
from nyanko.use_cases.reconcile import Reconcile
from nyanko.use_cases.refund import Refund
from nyanko.use_cases.replay import Replay
from tests import template
from tests.data import player_id
from tests.invocation import invocation
from tests.walk import oracle, states
from tests.walk.aws import Aws, Execution, Message, StepFunctions
from tests.walk.dynamodb import DynamoDB
from tests.walk.stripe import API_KEY, SECRET, Stripe
from tests.walk.tasks import Crashed, Task, Tasks, TimedOut
from tests.workflow.lambda_runtime import FUNCTIONS, _environment, by_name

START = 1_788_220_000
"""Epoch seconds UTC: an hour before a month ends in Japan."""

DAY_SECONDS = 24 * 3600
MACHINE = template.definition("PaymentStateMachine")
EXECUTION_SECONDS: int = MACHINE["TimeoutSeconds"]
QUEUE = template.resolved({"Ref": "PaymentEvents"})
DEAD_LETTERS = template.resolved({"Ref": "PaymentEventsDlq"})
REFUSED = (BadInput, Permanent, Retryable, ClientError, BotoCoreError, NotRefundable, RefundedBefore)
"""How a use case may end for whoever called it."""

PLAYERS = {
    player_id(name): birth for name, birth in (("mike", "1990-04"), ("tama", "2010-04"), ("kuro", None))
}
MONTHLY_YEN = {"1990-04": None, "2010-04": 20_000, None: 5_000}
PRODUCTS = (
    Product("starter", "スターター", 500, "jpy", {"cat_food": 10, "toy_mouse": 1}),
    Product("coins", "コイン", 120, "jpy", {"nyan_coin": 7}),
    Product("bed", "ベッド", 1_200, "jpy", {"cat_bed": 1, "cat_food": 3}, limit_per_player=4),
)


@dataclass(frozen=True)
class Order:
    """What a player asked for; `scopes` are the limits that it falls under."""

    name: str
    player_id: str
    product_id: str
    price: int
    quantity: int
    items: dict[str, int]
    scopes: tuple[str, ...]


class InTurn(Executor):
    """Does at once what threads would do: a greenlet cannot be switched from another thread."""

    def __init__(self, max_workers: int) -> None:
        """As many workers as are asked for are one."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        try:
            done.set_result(work(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 raised by whoever asks for the result
            done.set_exception(error)
        return done


class World:
    """`events` are those that Stripe made and that its endpoint wants, of which it still has to deliver the
    `undelivered`; `orders` are by purchase, and so is the most that was ever due of each; `spends` are what
    players asked for by id, of which those in `spent` were answered well."""

    def __init__(self, endpoint_version: str | None) -> None:
        self.now: float = START
        self.skew = 0
        self.tasks = Tasks(lambda: self.now, self._look)
        self.dynamodb = DynamoDB(json.loads(foundation.TABLES.read_text()), _table)
        self.stepfunctions = StepFunctions(self._begin, lambda: self.now)
        secrets = {
            _table("stripe_api_key"): API_KEY,
            _table("stripe_webhook_secrets"): SECRET,
            _table("joinmake_api_key"): "",
        }
        self.aws = Aws(self.tasks, self.dynamodb, self.stepfunctions, secrets)
        self.stripe = Stripe(self.tasks, lambda: self.now, endpoint_version)
        self.events: list[str] = []
        self.undelivered: list[str] = []
        self.orders: dict[str, Order] = {}
        self.most_due: Counter[str] = Counter()
        self.spends: dict[str, tuple[str, str, int]] = {}
        self.spent: set[str] = set()
        self._executions: dict[Task, Execution] = {}
        self.purchases: dict[str, dict[str, Any]] = {}
        self._looked_at = 0
        self._forged = 0

    # ─── The shop ───────────────────────────────────────────────────────────────────────────────────────────

    def open_shop(self) -> None:
        for product in PRODUCTS:
            adapters().products.put(product)
        self.reconcile()
        self._run_out()

    def order(self, buyer: str, product: Product, quantity: int, key: str) -> None:
        """Order, or order again what the key stands for."""
        purchase_id = purchase_id_for(buyer, key)
        birth_month = PLAYERS[buyer]
        month = datetime.fromtimestamp(self.now, UTC) + timedelta(hours=9)
        scopes = (
            *((f"product#{product.product_id}",) if product.limit_per_player else ()),
            *((f"month#{month:%Y-%m}",) if MONTHLY_YEN[birth_month] else ()),
        )
        self.orders.setdefault(
            purchase_id,
            Order(
                f"purchase {len(self.orders) + 1}",
                buyer,
                product.product_id,
                product.unit_amount,
                quantity,
                dict(product.items),
                scopes,
            ),
        )
        shop = adapters()
        open_checkout = OpenCheckout(
            products=shop.products,
            purchases=shop.purchases,
            limits=shop.limits,
            stripe=lambda: shop.stripe_checkout,
        )
        order = CheckoutOrder(product.product_id, quantity)
        self._request(
            f"checkout of {self.orders[purchase_id].name}",
            lambda: open_checkout(purchase_id, buyer, birth_month, order, clock.now()),
        )

    def spend(self, spender: str, item_id: str, count: int, spend_id: str) -> None:
        self.spends[spend_id] = spender, item_id, count

        def spend() -> None:
            adapters().inventory.spend(spender, Spend(spend_id, item_id, count), clock.now())
            self.spent.add(spend_id)

        self._request(spend_id, spend)

    def hello(self, listener: str, connection_id: str) -> None:
        """Open a game, which is told what it has not acknowledged."""
        body = json.dumps({"action": "hello"})
        context = {
            "authorizer": {"player_id": listener},
            "connectionId": connection_id,
            "eventType": "MESSAGE",
        }
        event = {"requestContext": context, "body": body}
        self._call(f"hello of {connection_id}", lambda: self._invoke("realtime", event))

    def acknowledge(self, listener: str, notice_id: str) -> None:
        notices = adapters().notices
        self._request(
            "acknowledgement", lambda: acknowledge_notice(listener, notice_id, clock.now(), notices=notices)
        )

    # ─── The way of an event ────────────────────────────────────────────────────────────────────────────────

    def deliver(self, event_id: str) -> None:
        """Stripe delivers an event, for the first time or again."""
        body, signature = self.stripe.delivery(event_id, int(self.now))

        def deliver() -> None:
            event = {"headers": {"Stripe-Signature": signature}, "body": body, "isBase64Encoded": False}
            answer = self._invoke("stripe_webhook", event)
            if answer["statusCode"] == 200 and event_id in self.undelivered:
                self.undelivered.remove(event_id)

        self._call(f"webhook of {self.named(event_id)}", deliver)

    def forge(self, session: StripeObject, replay: Any) -> None:
        """Put a delivery into the queue that nobody signed."""
        self._forged += 1
        event = {
            "id": f"evt_forged_{self._forged}",
            "object": "event",
            "api_version": API_VERSION,
            "created": int(self.now),
            "livemode": False,
            "type": "checkout.session.completed",
            "data": {"object": {**session, "status": "complete", "payment_status": "paid"}},
        }
        delivery = {
            "event_id": event["id"],
            "received_at": int(self.now),
            "body": json.dumps(event),
            "signature": f"t={int(self.now)},v1={'0' * 64}",
            **({} if replay is None else {"replay": replay}),
        }
        self.aws.sqs.send_message(QueueUrl=QUEUE, MessageBody=json.dumps(delivery))

    def receive(self, messages: list[Message]) -> None:
        """SQS hands a batch to start_payment; what is not done stays in the queue."""
        for message in messages:
            message.receives += 1
        records = [
            {
                "messageId": message.message_id,
                "body": message.body,
                "attributes": {"ApproximateReceiveCount": str(message.receives)},
            }
            for message in messages
        ]

        def receive() -> None:
            answer = self._invoke("start_payment", {"Records": records})
            failed = {one["itemIdentifier"] for one in answer["batchItemFailures"]}
            for message in messages:
                if message.message_id not in failed and message in self.queue:
                    self.queue.remove(message)

        self._call(f"start_payment of {', '.join(one.message_id for one in messages)}", receive)

    @property
    def queue(self) -> list[Message]:
        return self.aws.sqs.queues.setdefault(QUEUE, [])

    def _begin(self, execution: Execution) -> None:
        task = self.tasks.start(f"execution {self.named(execution.name)}", lambda: self._execute(execution))
        self._executions[task] = execution

    def abort(self, task: Task) -> None:
        """Stop an execution, or end whatever else it is."""
        self.tasks.abort(task)
        if (execution := self._executions.get(task)) and execution.status == "RUNNING":
            self._interrupt(execution, "ABORTED")

    def _interrupt(self, execution: Execution, status: str) -> None:
        """EventBridge writes a letter (`PaymentInterruptedRule` in template.yaml)."""
        execution.status, execution.stopped_at = status, self.now
        letter = json.dumps({"execution": execution.name, "reason": status})
        self.aws.sqs.send_message(QueueUrl=DEAD_LETTERS, MessageBody=letter)

    def _execute(self, execution: Execution) -> None:
        try:
            ended = states.run(
                MACHINE,
                json.loads(execution.given),
                execution.name,
                perform=self._perform,
                wait=lambda seconds: self._wait(execution, seconds),
                draw=lambda _low, high: high,
                enter=execution.states.append,
            )
        except _TooLate:
            self._interrupt(execution, "TIMED_OUT")
            return
        execution.status, execution.error, execution.cause = ended.status, ended.error, ended.cause
        execution.stopped_at = self.now

    def _wait(self, execution: Execution, seconds: float) -> None:
        self.tasks.sleep(seconds)
        if self.now > execution.started_at + EXECUTION_SECONDS:
            raise _TooLate

    def _perform(self, state: str, resource: str, parameters: Any) -> Any:
        seconds = MACHINE["States"][state]["TimeoutSeconds"]
        service, _, action = resource.removeprefix("arn:aws:states:::").partition(":")
        try:
            match service, action:
                case "lambda", "invoke":
                    folder = by_name(parameters["FunctionName"]).folder
                    return {"Payload": self._invoke(folder, parameters["Payload"]), "StatusCode": 200}
                case "dynamodb", "putItem":
                    client = self.aws("dynamodb")
                    return self.tasks.invoke(lambda: client.put_item(**parameters) or {}, seconds)
                case "sqs", "sendMessage":
                    given = {**parameters, "MessageBody": json.dumps(parameters["MessageBody"])}
                    self.tasks.invoke(lambda: self.aws("sqs").send_message(**given), seconds)
                    return {}
        except TimedOut:
            raise states.TaskFailed("States.Timeout", "") from None
        except Crashed:
            raise states.TaskFailed("Runtime.ExitError", "the process ended") from None
        except Exception as error:
            raise _failure(service, error) from error
        raise NotImplementedError(f"say here what {resource} does")

    # ─── Operators ──────────────────────────────────────────────────────────────────────────────────────────

    def reconcile(self) -> None:
        self._call("reconcile", lambda: self._invoke("reconcile", {}))

    def replay(self, event_id: str) -> None:
        self._call(
            f"replay of {self.named(event_id)}",
            lambda: self._replay().start(event_id, "the walk", clock.now()),
        )

    def refund(self, purchase_id: str, amount: int) -> None:
        """Refund by the operators' command."""
        refund = Refund(purchases=adapters().purchases, stripe=lambda: adapters().stripe_refunds)

        def give_back() -> None:
            purchase = adapters().purchases.get(purchase_id)
            if purchase is not None:
                planned = refund.plan(purchase, amount, None, again=False)
                refund.issue(planned, reason="", operator="walk")

        self._call(f"refund of {self.orders[purchase_id].name}", give_back)

    def redrive(self) -> None:
        """Send all dead letters back to the queue."""
        letters = self.aws.sqs.queues.setdefault(DEAD_LETTERS, [])
        for letter in letters:
            self.aws.sqs.send_message(QueueUrl=QUEUE, MessageBody=letter.body)
        letters.clear()

    def parked(self) -> list[str]:
        return [row["event_id"] for row in self.dynamodb.rows("events") if row["state"] == "parked"]

    def _replay(self) -> Replay:
        shop = adapters()
        return Replay(
            "walk",
            events=shop.events,
            executions=shop.payment_executions,
            history=shop.execution_history,
            replays=shop.replays,
            macs=shop.replay_macs,
        )

    # ─── Time ───────────────────────────────────────────────────────────────────────────────────────────────

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.happened(self.stripe.pass_time)

    def happened(self, act: Callable[[], object]) -> None:
        """Something happens at Stripe: events are made of it, and what is due changes."""
        act()
        self._take_note()

    def _take_note(self) -> None:
        """Whatever happens at Stripe makes an event."""
        if fresh := self.stripe.new_events():
            wanted = [event_id for event_id in fresh if self.stripe.is_wanted(event_id)]
            self.events += wanted
            self.undelivered += wanted
            for purchase_id in self.orders:
                self.most_due[purchase_id] = max(self.most_due[purchase_id], oracle.due(self, purchase_id))

    def _look(self) -> None:
        self._take_note()
        if self._looked_at != self.dynamodb.version:
            self._looked_at = self.dynamodb.version
            self.purchases = {row["purchase_id"]: row for row in self.dynamodb.rows("purchases")}
            oracle.look(self)

    # ─── Rest ───────────────────────────────────────────────────────────────────────────────────────────────

    def come_to_rest(self) -> None:
        """All faults end: what is undelivered is delivered, what is parked replayed. Raises `Violation`."""
        self.dynamodb.lagging = self.stepfunctions.lagging = False
        self.catch_up()
        self.skew = 0
        for _ in range(6):
            self._run_out()
            if self._is_quiet():
                break
            self.pass_time(20 * 60)
            self.reconcile()
            self._run_out()
            for event_id in self._replayable():
                self.replay(event_id)
            self._run_out()
            self.redrive()
        self._run_out()
        oracle.judge(self)
        self.pass_time(4 * 3600)
        self._run_out()
        self._reconcile_finds_nothing()

    def catch_up(self) -> None:
        self.dynamodb.catch_up()
        self.stepfunctions.catch_up()

    def _is_quiet(self) -> bool:
        states = {row["event_id"]: row["state"] for row in self.dynamodb.rows("events")}
        are_ended = all(states.get(one) not in (None, "claimed") for one in self.events)
        return are_ended and not self._replayable()

    def _replayable(self) -> list[str]:
        """What is parked and need not stay so."""
        return [
            row["event_id"]
            for row in self.dynamodb.rows("events")
            if row["state"] == "parked" and not oracle.may_stay(self, row["event_id"], row)
        ]

    def _run_out(self) -> None:
        """Until nothing is left to deliver, to receive or to do."""
        for _ in range(1000):
            for event_id in list(self.undelivered):
                self.deliver(event_id)
            for message in list(self.queue):
                self.receive([message])
            if not self.tasks.live:
                return
            while self.tasks.live:
                awake = [task for task in self.tasks.live if task.wakes_at <= self.now]
                task = awake[0] if awake else min(self.tasks.live, key=lambda one: one.wakes_at)
                if task.wakes_at > self.now:
                    self.pass_time(task.wakes_at - self.now)
                self.tasks.run(task)
        raise oracle.Violation("it never comes to rest")

    def _reconcile_finds_nothing(self) -> None:
        """Raises `Violation` for whatever the audit finds and cannot explain, but for what was paid twice."""
        shop = adapters()
        reconcile = Reconcile(
            stripe=shop.stripe_records,
            events=shop.events,
            purchases=shop.purchases,
            executions=shop.payment_executions,
            queue=shop.payment_events,
        )
        audit = Audit(reconcile, purchases=shop.purchases, ledger=shop.ledger, inventory=shop.inventory)
        report = audit(START - DAY_SECONDS, int(self.now), settle_seconds=0)
        paid_again = self._paid_again()
        found = {finding.about: finding for finding in report.unexplained}
        for about, finding in found.items():
            if not (finding.kind == "money" and about in paid_again):
                raise oracle.Violation(f"reconciliation finds what is not so: {self._described(finding)}")
        parked = {row.get("purchase_id") for row in self.dynamodb.rows("events") if row["state"] == "parked"}
        for about in paid_again - found.keys() - parked:
            raise oracle.Violation(f"{self.orders[about].name} was paid twice, and nobody is told")

    def _paid_again(self) -> set[str]:
        """Purchases for which another session still has money."""
        return {
            purchase_id
            for purchase_id in self.purchases
            for session in self.stripe.naming(purchase_id)
            if session not in oracle.sessions_of(self, purchase_id)
            and session["payment_status"] == "paid"
            and oracle.left_of(self, session) > 0
        }

    def _described(self, finding: Finding) -> str:
        about = self.orders[finding.about].name if finding.about in self.orders else self.named(finding.about)
        return f"{finding.kind} of {about}: {finding.text}"

    # ─── Within ─────────────────────────────────────────────────────────────────────────────────────────────

    def named(self, event_id: str) -> str:
        """An event, or an execution of one, as a person can tell it from others."""
        event_id, _, replay = event_id.partition("-r")
        event = self.stripe.account.objects["event"].get(event_id)
        if event is None:
            return event_id
        about = event["data"]["object"]
        number = list(self.stripe.account.objects[about["object"]]).index(about["id"]) + 1
        position = self.events.index(event_id) + 1 if event_id in self.events else 0
        of = f"event {position} ({event['type']} of {about['object']} {number})"
        return f"{of}, replay {replay}" if replay else of

    def _call(self, name: str, work: Callable[[], object]) -> None:
        """Begin a task that ends well or as use cases do."""

        def end_well() -> None:
            with suppress(*REFUSED, Crashed, TimedOut):
                work()

        self.tasks.start(name, end_well)

    def _request(self, name: str, work: Callable[[], object]) -> None:
        """What a player asks of the API, which answers in time or not at all."""
        self._call(name, lambda: self.tasks.invoke(work, FUNCTIONS["api"].timeout))

    def _invoke(self, folder: str, event: Any) -> Any:
        handler = _handler(folder)
        seconds = FUNCTIONS[folder].timeout
        given, context = json.loads(json.dumps(event)), invocation(seconds)
        return self.tasks.invoke(lambda: json.loads(json.dumps(handler(given, context))), seconds)


class _TooLate(BaseException):
    """An execution is older than it may become."""


def _failure(service: str, error: Exception) -> states.TaskFailed:
    """What Step Functions makes of an error: of a function its class, of a service its code."""
    if service == "lambda":
        name = type(error).__name__
        return states.TaskFailed(name, json.dumps({"errorMessage": str(error), "errorType": name}))
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else "SdkClientException"
    prefix = {"dynamodb": "DynamoDB", "sqs": "Sqs"}[service]
    return states.TaskFailed(f"{prefix}.{code}", str(error))


def _table(noun: str) -> str:
    return f"{template.STAGE}_jm_nyanko_{noun}"


@cache
def _handler(folder: str) -> Callable[[Any, Any], Any]:
    handler: Callable[[Any, Any], Any] = importlib.import_module(
        FUNCTIONS[folder].handler_module
    ).lambda_handler
    return handler


@contextmanager
def world(endpoint_version: str | None) -> Iterator[World]:
    """A world whose functions find it where they look for AWS and Stripe."""
    environment = {name: value for one in FUNCTIONS.values() for name, value in _environment(one).items()}
    made = World(endpoint_version)
    with (
        mock.patch.dict(os.environ, {**environment, "POWERTOOLS_LOG_LEVEL": "CRITICAL"}),
        mock.patch.object(function, "aws_clients", lambda: made.aws),
        mock.patch.object(clock, "now", lambda: int(made.now) + made.skew),
        mock.patch.object(clock, "sleep", made.tasks.sleep),
        mock.patch.object(push, "ThreadPoolExecutor", InTurn),
        mock.patch.object(telemetry, "single_metric", mock.MagicMock()),
        mock.patch("stripe.RequestsClient", lambda **_options: made.stripe.transport),
    ):
        function.adapters.cache_clear()
        try:
            made.open_shop()
            yield made
        finally:
            made.tasks.close()
            function.adapters.cache_clear()
