"""The stage that a command speaks to: an AWS account by the usual means, or the local stack.

Its adapters are those of the functions, put together by the same composition root.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, ProfileNotFound
from botocore.session import Session  # noqa: TID251 an operator's session has a profile of choice

from nyanko.composition import clock
from nyanko.composition.adapters import Adapters
from nyanko.composition.clients import Clients

STAGES = ("stg", "prod", "local")


class StageError(Exception):
    """The stage cannot be reached, or lacks something; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Connection:
    """`endpoints` are URLs by service, "" for all others, and none for AWS; `webhook_url` is where Stripe is
    to send its events, if that is not the domain that Terraform made."""

    session: Session
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

    @cached_property
    def clients(self) -> Clients:
        return Clients(lambda: self.connection.session, self.connection.endpoints)

    @cached_property
    def adapters(self) -> Adapters:
        return Adapters(StageSettings(self), self.clients, clock.now)

    @cached_property
    def operator(self) -> str:
        """Who gives the commands, as AWS knows them: for people it ends in their name."""
        return str(self._identity["Arn"])

    @property
    def webhook_url(self) -> str:
        return self.connection.webhook_url or f"https://{self.parameter('rest_domain')}/stripe/webhook"

    @property
    def state_machine_arn(self) -> str:
        region = self.connection.session.get_config_variable("region")
        account, machine = self._identity["Account"], self.adapters.resource("payment")
        return f"arn:aws:states:{region}:{account}:stateMachine:{machine}"

    def parameter(self, noun: str) -> str:
        """A parameter that Terraform wrote; raises `StageError` if there is none."""
        name = f"/{self.name}/jm_nyanko/{noun}"
        try:
            return str(self.clients("ssm").get_parameter(Name=name)["Parameter"]["Value"])
        except ClientError as error:
            raise StageError(f"the parameter {name} cannot be read: {error}") from error

    def queue_url(self, noun: str) -> str:
        queue = self.adapters.resource(noun)
        return str(self.clients("sqs").get_queue_url(QueueName=queue)["QueueUrl"])

    @cached_property
    def _identity(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.clients("sts").get_caller_identity()
        return found


class StageSettings:
    """What a function finds in its environment, as an operator of the stage finds it out."""

    def __init__(self, stage: Stage) -> None:
        self._found: dict[str, str] = {"STAGE": stage.name}
        self._find: Mapping[str, Callable[[], str]] = {
            "PAYMENT_EVENTS_URL": lambda: stage.queue_url("payment_events"),
            "PAYMENT_EVENTS_DLQ_URL": lambda: stage.queue_url("payment_events_dlq"),
            "PAYMENT_STATE_MACHINE_ARN": lambda: stage.state_machine_arn,
            "REPLAY_KEY_ARN": lambda: f"alias/{stage.adapters.resource('replay')}",
            "STRIPE_API_URL": lambda: stage.parameter("stripe_api_url"),
        }

    def __getitem__(self, name: str, /) -> str:
        if name not in self._found:
            self._found[name] = self._find[name]()
        return self._found[name]


def aws_stage(name: str, profile: str | None, region: str) -> Stage:
    """A stage in the AWS account that the profile, or whatever else the SDK finds, leads to."""

    def connect() -> Connection:
        session = Session(profile=profile)
        session.set_config_variable("region", region)
        try:
            session.get_scoped_config()
        except ProfileNotFound as error:
            raise StageError(str(error)) from None
        return Connection(session, {})

    return Stage(name, connect)


def local_stage(directory: Path) -> Stage:
    """The local stack that the `stack.json` in this folder describes."""

    def connect() -> Connection:
        description = directory / "stack.json"
        try:
            stack = json.loads(description.read_text())
        except FileNotFoundError:
            raise StageError(f"there is no {description}: start the local stack with `make run`") from None
        session = Session()
        session.set_config_variable("region", stack["region"])
        session.set_credentials(stack["account"], "local")  # the local engines check none
        endpoints = {"": stack["aws"], "stepfunctions": stack["stepfunctions"]}
        return Connection(session, endpoints, f"{stack['api']}/stripe/webhook")

    return Stage("local", connect)
