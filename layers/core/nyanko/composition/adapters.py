"""Every adapter of a stage, each built on first use and kept, so that nobody pays for what is not touched.

Both are put together here: the function that runs in Lambda, and the stage that an operator names.
"""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from nyanko.composition.clients import Clients
from nyanko.composition.secrets import StageSecrets

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from nyanko.adapters.apigateway_sockets import Sockets
    from nyanko.adapters.dynamodb_checkpoints import Checkpoints
    from nyanko.adapters.dynamodb_connections import Connections
    from nyanko.adapters.dynamodb_events import Events
    from nyanko.adapters.dynamodb_grants import Grants
    from nyanko.adapters.dynamodb_inventory import Inventory
    from nyanko.adapters.dynamodb_ledger import Ledger
    from nyanko.adapters.dynamodb_limits import Limits
    from nyanko.adapters.dynamodb_notices import Notices
    from nyanko.adapters.dynamodb_players import Players
    from nyanko.adapters.dynamodb_products import Products
    from nyanko.adapters.dynamodb_purchases import Purchases
    from nyanko.adapters.dynamodb_replays import Replays
    from nyanko.adapters.dynamodb_table import Table
    from nyanko.adapters.dynamodb_tickets import Tickets
    from nyanko.adapters.joinmake import Joinmake
    from nyanko.adapters.kms_replays import ReplayMacs
    from nyanko.adapters.sqs_dead_letters import DeadLetters
    from nyanko.adapters.sqs_depth import QueueDepth
    from nyanko.adapters.sqs_queue import Queue
    from nyanko.adapters.stepfunctions_history import ExecutionHistory
    from nyanko.adapters.stepfunctions_payments import PaymentExecutions
    from nyanko.adapters.stripe_checkout import StripeCheckout
    from nyanko.adapters.stripe_client import StripeApi
    from nyanko.adapters.stripe_endpoints import StripeEndpoints
    from nyanko.adapters.stripe_lookups import StripeLookups
    from nyanko.adapters.stripe_records import StripeRecords
    from nyanko.adapters.stripe_refunds import StripeRefunds
    from nyanko.adapters.web3auth import Web3AuthVerifier


class Settings(Protocol):
    """Where a stage has what: the variables that template.yaml gives its functions, by their names.

    Raises `KeyError` for what a function was not given.
    """

    def __getitem__(self, name: str, /) -> str: ...


class Adapters:
    """`now` gives epoch seconds UTC; `on_stale` hears of each secret that is used on while none can be
    read."""

    def __init__(
        self,
        settings: Settings,
        clients: Clients,
        now: Callable[[], int],
        on_stale: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.settings = settings
        self.clients = clients
        self._now = now
        self._on_stale = on_stale

    @property
    def stage(self) -> str:
        return self.settings["STAGE"]

    @property
    def livemode(self) -> bool:
        """Whether this stage takes real money: Stripe's live mode belongs to prod and to no other stage."""
        return self.stage == "prod"

    def resource(self, noun: str) -> str:
        """The name of a table, queue or secret of this stage."""
        return f"{self.stage}_jm_nyanko_{noun}"

    def table(self, noun: str) -> "Table":
        from nyanko.adapters.dynamodb_table import Table

        return Table(self._dynamodb, self.resource(noun))

    def _dynamodb(self) -> "DynamoDBClient":
        client: DynamoDBClient = self.clients("dynamodb")
        return client

    @cached_property
    def secrets(self) -> StageSecrets:
        from nyanko.adapters.secretsmanager_secrets import Secrets

        def client() -> "SecretsManagerClient":
            # Gives up before the function does, so that an older value can be used on.
            made: SecretsManagerClient = self.clients("secretsmanager", attempts=2, read_timeout_seconds=2)
            return made

        return StageSecrets(Secrets(client, self._now, self._on_stale), self.resource)

    # ─── Queue and workflow ─────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def payment_events(self) -> "Queue":
        from nyanko.adapters.sqs_queue import Queue

        return Queue(lambda: self.clients("sqs"), self.settings["PAYMENT_EVENTS_URL"])

    @cached_property
    def payment_events_depth(self) -> "QueueDepth":
        from nyanko.adapters.sqs_depth import QueueDepth

        return QueueDepth(lambda: self.clients("sqs"), self.settings["PAYMENT_EVENTS_URL"])

    @cached_property
    def dead_letter_queue(self) -> "Queue":
        from nyanko.adapters.sqs_queue import Queue

        return Queue(lambda: self.clients("sqs"), self.settings["PAYMENT_EVENTS_DLQ_URL"])

    @cached_property
    def dead_letters(self) -> "DeadLetters":
        from nyanko.adapters.sqs_dead_letters import DeadLetters

        return DeadLetters(
            self.clients("sqs"), self.settings["PAYMENT_EVENTS_DLQ_URL"], self.settings["PAYMENT_EVENTS_URL"]
        )

    @cached_property
    def payment_executions(self) -> "PaymentExecutions":
        from nyanko.adapters.stepfunctions_payments import ATTEMPTS, PaymentExecutions

        return PaymentExecutions(
            self.clients("stepfunctions", attempts=ATTEMPTS), self.settings["PAYMENT_STATE_MACHINE_ARN"]
        )

    @cached_property
    def execution_history(self) -> "ExecutionHistory":
        from nyanko.adapters.stepfunctions_history import ExecutionHistory

        return ExecutionHistory(self.clients("stepfunctions"), self.settings["PAYMENT_STATE_MACHINE_ARN"])

    @cached_property
    def replay_macs(self) -> "ReplayMacs":
        from nyanko.adapters.kms_replays import ReplayMacs

        return ReplayMacs(lambda: self.clients("kms"), self.settings["REPLAY_KEY_ARN"])

    # ─── Tables ─────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def products(self) -> "Products":
        from nyanko.adapters.dynamodb_products import Products

        return Products(self.table("products"))

    @cached_property
    def purchases(self) -> "Purchases":
        from nyanko.adapters.dynamodb_purchases import Purchases

        return Purchases(self.table)

    @cached_property
    def events(self) -> "Events":
        from nyanko.adapters.dynamodb_events import Events

        return Events(self.table("events"))

    @cached_property
    def grants(self) -> "Grants":
        from nyanko.adapters.dynamodb_grants import Grants

        return Grants(self.table)

    @cached_property
    def inventory(self) -> "Inventory":
        from nyanko.adapters.dynamodb_inventory import Inventory

        return Inventory(self.table)

    @cached_property
    def ledger(self) -> "Ledger":
        from nyanko.adapters.dynamodb_ledger import Ledger

        return Ledger(self.table("ledger"))

    @cached_property
    def limits(self) -> "Limits":
        from nyanko.adapters.dynamodb_limits import Limits

        return Limits(self.table("limits"))

    @cached_property
    def notices(self) -> "Notices":
        from nyanko.adapters.dynamodb_notices import Notices

        return Notices(self.table("notices"))

    @cached_property
    def connections(self) -> "Connections":
        from nyanko.adapters.dynamodb_connections import Connections

        return Connections(self.table("connections"))

    @cached_property
    def tickets(self) -> "Tickets":
        from nyanko.adapters.dynamodb_tickets import Tickets

        return Tickets(self.table("tickets"))

    @cached_property
    def players(self) -> "Players":
        from nyanko.adapters.dynamodb_players import Players

        return Players(self.table("players"))

    @cached_property
    def checkpoints(self) -> "Checkpoints":
        from nyanko.adapters.dynamodb_checkpoints import Checkpoints

        return Checkpoints(self.table("checkpoints"))

    @cached_property
    def replays(self) -> "Replays":
        from nyanko.adapters.dynamodb_replays import Replays

        return Replays(self.table("replays"))

    # ─── Others ─────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def sockets(self) -> "Sockets":
        """The SDK finds the API by AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI, and leaves retries to `push`."""
        from nyanko.adapters.apigateway_sockets import Sockets
        from nyanko.push import WORKERS

        return Sockets(lambda: self.clients("apigatewaymanagementapi", attempts=1, connections=WORKERS))

    @cached_property
    def stripe(self) -> "StripeApi":
        from nyanko.adapters.stripe_client import StripeApi

        return StripeApi(self.secrets.stripe_api_key, self.settings["STRIPE_API_URL"])

    @cached_property
    def stripe_checkout(self) -> "StripeCheckout":
        from nyanko.adapters.stripe_checkout import StripeCheckout

        return StripeCheckout(self.stripe, self.settings["FRONTEND_URL"])

    @cached_property
    def stripe_lookups(self) -> "StripeLookups":
        from nyanko.adapters.stripe_lookups import StripeLookups

        return StripeLookups(self.stripe)

    @cached_property
    def stripe_records(self) -> "StripeRecords":
        from nyanko.adapters.stripe_records import StripeRecords

        return StripeRecords(self.stripe)

    @cached_property
    def stripe_refunds(self) -> "StripeRefunds":
        from nyanko.adapters.stripe_refunds import StripeRefunds

        return StripeRefunds(self.stripe)

    @cached_property
    def stripe_endpoints(self) -> "StripeEndpoints":
        from nyanko.adapters.stripe_endpoints import StripeEndpoints

        return StripeEndpoints(self.stripe)

    @cached_property
    def web3auth_verifier(self) -> "Web3AuthVerifier":
        from nyanko.adapters.web3auth import Web3AuthVerifier

        return Web3AuthVerifier(
            self.settings["WEB3AUTH_ISSUERS"], self.settings["WEB3AUTH_CLIENT_ID"], self._now
        )

    @cached_property
    def joinmake(self) -> "Joinmake":
        from nyanko.adapters.joinmake import Joinmake

        return Joinmake(self.settings["JOINMAKE_API_URL"], self.secrets.joinmake_api_key)
