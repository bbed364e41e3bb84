"""The stage that a command speaks to: an AWS account by the usual means, or the local stack."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3  # noqa: TID251 an operator's session is not a function's: it has profiles and a stage of choice
from botocore.exceptions import ClientError, ProfileNotFound

from nyanko.adapters.attribution import Attribution
from nyanko.adapters.dynamodb_events import Events
from nyanko.adapters.dynamodb_inventory import Inventory
from nyanko.adapters.dynamodb_products import Products
from nyanko.adapters.dynamodb_purchases import Purchases
from nyanko.adapters.kms_replays import ReplayMacs
from nyanko.adapters.sqs_queue import Queue
from nyanko.adapters.stepfunctions_payments import PaymentExecutions

if TYPE_CHECKING:
    from nyanko.adapters.stripe_records import StripeRecords

STAGES = ("stg", "prod", "local")


class StageError(Exception):
    """The stage cannot be reached, or lacks something; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Connection:
    """`endpoints` are URLs by service, "" for all others, and none for AWS; `webhook_url` is where Stripe is
    to send its events, if that is not the domain that Terraform made."""

    session: boto3.Session
    endpoints: Mapping[str, str]
    webhook_url: str | None = None


@dataclass(frozen=True)
class Stage:
    """What the operators of a stage reach, each built when it is needed."""

    name: str
    connect: Callable[[], Connection]
    """Raises `StageError`."""

    @cached_property
    def connection(self) -> Connection:
        return self.connect()

    @property
    def is_aws(self) -> bool:
        """The local engines lack some calls that AWS has."""
        return not self.connection.endpoints

    @property
    def livemode(self) -> bool:
        return self.name == "prod"

    def client(self, service: str) -> Any:  # noqa: ANN401 each service's client has a type of its own
        if service not in self._clients:
            endpoints = self.connection.endpoints
            self._clients[service] = self.connection.session.client(  # type: ignore[call-overload] # any
                service, endpoint_url=endpoints.get(service) or endpoints.get("")
            )
        return self._clients[service]

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    def table(self, noun: str) -> str:
        return f"{self.name}_jm_nyanko_{noun}"

    def parameter(self, noun: str) -> str:
        """A parameter that Terraform wrote; raises `StageError` if there is none."""
        name = f"/{self.name}/jm_nyanko/{noun}"
        try:
            return str(self.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
        except ClientError as error:
            raise StageError(f"the parameter {name} cannot be read: {error}") from error

    def secret(self, noun: str) -> str:
        """A secret's value; raises `StageError` if it has none."""
        try:
            found = self.client("secretsmanager").get_secret_value(SecretId=self.table(noun))
        except ClientError as error:
            raise StageError(f"the secret {self.table(noun)} cannot be read: {error}") from error
        return str(found["SecretString"]).strip()

    def store_secret(self, noun: str, value: str) -> None:
        self.client("secretsmanager").put_secret_value(SecretId=self.table(noun), SecretString=value)

    def queue_url(self, noun: str) -> str:
        return str(self.client("sqs").get_queue_url(QueueName=self.table(noun))["QueueUrl"])

    @cached_property
    def operator(self) -> str:
        """Who gives the commands, as AWS knows them: for people it ends in their name."""
        return str(self.client("sts").get_caller_identity()["Arn"])

    @cached_property
    def state_machine_arn(self) -> str:
        account = self.client("sts").get_caller_identity()["Account"]
        region = self.connection.session.region_name
        return f"arn:aws:states:{region}:{account}:stateMachine:{self.table('payment')}"

    @cached_property
    def dynamodb(self) -> Any:  # noqa: ANN401 a boto3 client
        return self.client("dynamodb")

    @cached_property
    def products(self) -> Products:
        return Products(self.dynamodb, self.table("products"))

    @cached_property
    def purchases(self) -> Purchases:
        return Purchases(self.dynamodb, self.table("purchases"))

    @cached_property
    def events(self) -> Events:
        return Events(self.dynamodb, self.table("events"))

    @cached_property
    def inventory(self) -> Inventory:
        return Inventory(self.dynamodb, inventory=self.table("inventory"), ledger=self.table("ledger"))

    @cached_property
    def payment_events(self) -> Queue:
        return Queue(self.client("sqs"), self.queue_url("payment_events"))

    @cached_property
    def payment_executions(self) -> PaymentExecutions:
        return PaymentExecutions(self.client("stepfunctions"), self.state_machine_arn)

    @cached_property
    def replay_macs(self) -> ReplayMacs:
        return ReplayMacs(self.client("kms"), f"alias/{self.table('replay')}")

    @cached_property
    def stripe_credentials(self) -> tuple[str, str]:
        """Stripe's API key and URL."""
        return self.secret("stripe_api_key"), self.parameter("stripe_api_url")

    @cached_property
    def stripe_records(self) -> "StripeRecords":
        from nyanko.adapters.stripe_records import StripeRecords

        return StripeRecords(*self.stripe_credentials)

    @cached_property
    def attribution(self) -> Attribution:
        from nyanko.adapters.stripe_checkout import StripeCheckout

        frontend_url = ""  # no session is opened here
        return Attribution(
            lambda: self.purchases, lambda: StripeCheckout(*self.stripe_credentials, frontend_url)
        )


def aws_stage(name: str, profile: str | None, region: str) -> Stage:
    """A stage in the AWS account that the profile, or whatever else boto3 finds, leads to."""

    def connect() -> Connection:
        try:
            return Connection(boto3.Session(profile_name=profile, region_name=region), {})
        except ProfileNotFound as error:
            raise StageError(str(error)) from None

    return Stage(name, connect)


def local_stage(directory: Path) -> Stage:
    """The local stack that the `stack.json` in this folder describes."""

    def connect() -> Connection:
        description = directory / "stack.json"
        try:
            stack = json.loads(description.read_text())
        except FileNotFoundError:
            raise StageError(f"there is no {description}: start the local stack with `make run`") from None
        session = boto3.Session(
            region_name=stack["region"],
            aws_access_key_id=stack["account"],
            aws_secret_access_key="local",  # noqa: S106 the local engines check none
        )
        endpoints = {"": stack["aws"], "stepfunctions": stack["stepfunctions"]}
        return Connection(session, endpoints, f"{stack['api']}/stripe/webhook")

    return Stage("local", connect)
