"""The composition root: the one reader of the environment and the one builder of clients.

Everything is built on first use and kept, so that a cold start pays only for what its function touches.
"""

import gc
import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from nyanko.errors import Retryable

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger
    from botocore.session import Session
    from mypy_boto3_dynamodb import DynamoDBClient

    from nyanko.adapters.apigateway_sockets import Sockets
    from nyanko.adapters.attribution import Attribution
    from nyanko.adapters.dynamodb_checkpoints import Checkpoints
    from nyanko.adapters.dynamodb_connections import Connections
    from nyanko.adapters.dynamodb_events import Events
    from nyanko.adapters.dynamodb_grants import Grants
    from nyanko.adapters.dynamodb_inventory import Inventory
    from nyanko.adapters.dynamodb_limits import Limits
    from nyanko.adapters.dynamodb_notices import Notices
    from nyanko.adapters.dynamodb_players import Players
    from nyanko.adapters.dynamodb_products import Products
    from nyanko.adapters.dynamodb_purchases import Purchases
    from nyanko.adapters.dynamodb_tickets import Tickets
    from nyanko.adapters.joinmake import Joinmake
    from nyanko.adapters.kms_replays import ReplayMacs
    from nyanko.adapters.secretsmanager_secrets import Secrets
    from nyanko.adapters.sqs_queue import Queue
    from nyanko.adapters.stepfunctions_payments import PaymentExecutions
    from nyanko.adapters.stripe_checkout import StripeCheckout
    from nyanko.adapters.stripe_records import StripeRecords
    from nyanko.adapters.web3auth import Web3AuthVerifier

# What a cold start imports and makes clients of stays, and the collector would look through it again and
# again as it grows: with Python's own 2,000 that takes 5 % of a cold start (docs/performance.md).
gc.set_threshold(100_000)


def now() -> int:
    """Epoch seconds UTC."""
    return int(time.time())


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def stage() -> str:
    return os.environ["STAGE"]


def livemode() -> bool:
    """Whether this stage takes real money: Stripe's live mode belongs to prod and to no other stage."""
    return stage() == "prod"


def version() -> str:
    return os.environ.get("VERSION", "unreleased")


def frontend_origin() -> str:
    """The one origin whose pages may read the API's answers and open its WebSockets."""
    return os.environ.get("FRONTEND_ORIGIN", "")


def realtime_url() -> str:
    """Where clients open WebSockets."""
    return os.environ["REALTIME_URL"]


@cache
def client(service: str, attempts: int = 3, pool: int = 10) -> Any:  # noqa: ANN401 each has its own type
    """A client that makes up to `attempts` attempts and keeps up to `pool` connections."""
    from botocore.config import Config

    return _session().create_client(
        service,
        config=Config(
            connect_timeout=2,
            read_timeout=5,
            retries={"mode": "standard", "total_max_attempts": attempts},
            max_pool_connections=pool,
        ),
    )


@cache
def _session() -> "Session":
    """All clients are of one session, which reads its data only once.

    boto3's own clients are made by botocore too; boto3 would import its resources and S3's transfers besides.
    """
    from botocore.session import get_session

    return get_session()


def logger() -> "Logger":
    """A logger of JSON lines. Functions get it here, and so import nothing large before this module."""
    from aws_lambda_powertools import Logger

    return Logger()


def table(noun: str) -> str:
    return f"{stage()}_jm_nyanko_{noun}"


def metric(name: str, value: float = 1, unit: str = "Count", **dimensions: str) -> None:
    """Give CloudWatch a figure, as a line of the log in its embedded metric format.

    `unit` is one of CloudWatch's; each figure carries the function's name as `service`
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html).
    Powertools' Metrics costs no cold start: its package imports them with the Logger.
    """
    from aws_lambda_powertools import single_metric
    from aws_lambda_powertools.metrics import MetricUnit

    namespace = f"{stage()}_jm_nyanko"
    with single_metric(name=name, unit=MetricUnit(unit), value=value, namespace=namespace) as figure:
        for dimension, of in dimensions.items():
            figure.add_dimension(dimension, of)


def secret(noun: str) -> str:
    """The secret's value, or "" while it has none; a new one is in force within five minutes.

    White space around it is dropped: a trailing newline is the usual slip of whoever stores a secret.
    """
    return _secrets().value(f"{stage()}_jm_nyanko_{noun}").strip()


def webhook_secrets() -> list[str]:
    """The signing secrets in force: two while one is being rolled.

    Raises `Retryable` (`NotConfigured`) when there is none: an empty secret disables the webhook and never
    weakens it, since anyone can sign with an empty key.
    """
    secrets = secret("stripe_webhook_secrets").split()
    if not secrets:
        raise Retryable("NotConfigured", "no webhook signing secret is stored")
    return secrets


@cache
def payment_events() -> "Queue":
    from nyanko.adapters.sqs_queue import Queue

    return Queue(client("sqs"), os.environ["PAYMENT_EVENTS_URL"])


@cache
def payment_events_dlq() -> "Queue":
    from nyanko.adapters.sqs_queue import Queue

    return Queue(client("sqs"), os.environ["PAYMENT_EVENTS_DLQ_URL"])


@cache
def payment_executions() -> "PaymentExecutions":
    from nyanko.adapters.stepfunctions_payments import ATTEMPTS, PaymentExecutions

    return PaymentExecutions(
        client("stepfunctions", attempts=ATTEMPTS), os.environ["PAYMENT_STATE_MACHINE_ARN"]
    )


@cache
def replay_macs() -> "ReplayMacs":
    from nyanko.adapters.kms_replays import ReplayMacs

    return ReplayMacs(client("kms"), os.environ["REPLAY_KEY_ARN"])


@cache
def attribution() -> "Attribution":
    from nyanko.adapters.attribution import Attribution

    return Attribution(purchases, stripe_checkout)


@cache
def stripe_checkout() -> "StripeCheckout":
    from nyanko.adapters.stripe_checkout import StripeCheckout

    return StripeCheckout(stripe_api_key(), os.environ["STRIPE_API_URL"], os.environ["FRONTEND_URL"])


@cache
def stripe_records() -> "StripeRecords":
    from nyanko.adapters.stripe_records import StripeRecords

    return StripeRecords(stripe_api_key(), os.environ["STRIPE_API_URL"])


def stripe_api_key() -> str:
    """Raises `Retryable` (`NotConfigured`) when there is none."""
    api_key = secret("stripe_api_key")
    if not api_key:
        raise Retryable("NotConfigured", "no Stripe API key is stored")
    return api_key


@cache
def products() -> "Products":
    from nyanko.adapters.dynamodb_products import Products

    return Products(_dynamodb(), table("products"))


@cache
def purchases() -> "Purchases":
    from nyanko.adapters.dynamodb_purchases import Purchases

    return Purchases(_dynamodb(), table("purchases"))


@cache
def events() -> "Events":
    from nyanko.adapters.dynamodb_events import Events

    return Events(_dynamodb(), table("events"))


@cache
def checkpoints() -> "Checkpoints":
    from nyanko.adapters.dynamodb_checkpoints import Checkpoints

    return Checkpoints(_dynamodb(), table("checkpoints"))


@cache
def grants() -> "Grants":
    from nyanko.adapters.dynamodb_grants import Grants

    return Grants(
        _dynamodb(),
        purchases=table("purchases"),
        inventory=table("inventory"),
        ledger=table("ledger"),
        events=table("events"),
    )


@cache
def inventory() -> "Inventory":
    from nyanko.adapters.dynamodb_inventory import Inventory

    return Inventory(_dynamodb(), inventory=table("inventory"), ledger=table("ledger"))


@cache
def limits() -> "Limits":
    from nyanko.adapters.dynamodb_limits import Limits

    return Limits(_dynamodb(), table("limits"))


@cache
def notices() -> "Notices":
    from nyanko.adapters.dynamodb_notices import Notices

    return Notices(_dynamodb(), table("notices"))


@cache
def connections() -> "Connections":
    from nyanko.adapters.dynamodb_connections import Connections

    return Connections(_dynamodb(), table("connections"))


@cache
def tickets() -> "Tickets":
    from nyanko.adapters.dynamodb_tickets import Tickets

    return Tickets(_dynamodb(), table("tickets"))


@cache
def sockets() -> "Sockets":
    """The SDK finds the API by AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI, and leaves retries to `push`."""
    from nyanko.adapters.apigateway_sockets import Sockets
    from nyanko.push import WORKERS

    return Sockets(client("apigatewaymanagementapi", attempts=1, pool=WORKERS))


@cache
def players() -> "Players":
    from nyanko.adapters.dynamodb_players import Players

    return Players(_dynamodb(), table("players"))


@cache
def web3auth_verifier() -> "Web3AuthVerifier":
    from nyanko.adapters.web3auth import Web3AuthVerifier

    return Web3AuthVerifier(os.environ["WEB3AUTH_ISSUERS"], os.environ["WEB3AUTH_CLIENT_ID"], now)


@cache
def joinmake() -> "Joinmake":
    from nyanko.adapters.joinmake import Joinmake

    return Joinmake(os.environ["JOINMAKE_API_URL"], joinmake_api_key)


def joinmake_api_key() -> str:
    """Raises `Retryable` (`NotConfigured`) when there is none."""
    api_key = secret("joinmake_api_key")
    if not api_key:
        raise Retryable("NotConfigured", "no Join&make API key is stored")
    return api_key


def _dynamodb() -> "DynamoDBClient":
    found: DynamoDBClient = client("dynamodb")
    return found


@cache
def _secrets() -> "Secrets":
    from nyanko.adapters.secretsmanager_secrets import Secrets

    return Secrets(client("secretsmanager"), now)
