"""`nyanko webhook` on a stage whose warm functions are the shipped ones: what is rolled is never refused."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import stripe
from typer.testing import CliRunner, Result

from nyanko.signing_secrets import read_secrets
from nyanko.stripe_events import API_VERSION, HANDLED_EVENTS
from ops.cli import app
from ops.output import REFUSED
from ops.stages import Stage
from tests.integration.stripe_shop import Arrival, Shop
from tests.workflow import lambda_runtime
from tests.workflow.engine import PREFIX, SECRETS, Workflow
from tests.workflow.operators import stage_of_the_workflow

REQUESTS_CLIENT = stripe.RequestsClient
SECRET_ID = f"{PREFIX}_stripe_webhook_secrets"
OLD_VERSION = "2020-08-27"


class Office:
    """An operator of a stage to which Stripe delivers; its clock goes on as fast as somebody sleeps.

    `answers` are the statuses that the webhook's function gave; what it accepts waits in the queue until
    `work`.
    """

    def __init__(self, workflow: Workflow, shop: Shop) -> None:
        self.workflow = workflow
        self.shop = shop
        self.answers: list[int] = []
        self.works_while_waiting = True
        self._handed_on = 0
        self._sold = 0

    def nyanko(self, *arguments: str) -> Result:
        given = ["--stage", "stg", "webhook", *arguments, "--yes"]
        return CliRunner().invoke(app, given, catch_exceptions=False)

    def sell(self) -> None:
        """Sell something, and hand every delivery of it to the webhook's function."""
        self.shop.sell_and_pay()
        listed = self.shop.stripe.v1.webhook_endpoints.list().data
        used = [one for one in listed if one.status == "enabled" and len(one.enabled_events) > 1]
        self._sold += len(used)
        arrived = self.shop.webhook.wait_for(lambda all_: len(all_) >= self._sold)
        for arrival in arrived[self._handed_on :]:
            self.answers.append(self.answer(arrival))
        self._handed_on = len(arrived)

    def answer(self, arrival: Arrival) -> int:
        self.workflow.now = int(self.shop.clock())
        headers = {"Stripe-Signature": arrival.signature}
        event = {"headers": headers, "body": arrival.body.decode(), "isBase64Encoded": False}
        return int(self.workflow.invoke("stripe_webhook", event)["statusCode"])

    def work(self) -> None:
        """start_payment takes what waits, and the workflow verifies it."""
        for delivery in self.workflow.queued():
            self.workflow.receive(delivery)

    def slept(self, seconds: float) -> None:
        """Somebody buys in the five minutes of a roll; in shorter waits the queue is worked on."""
        if seconds >= 300:
            self.sell()
        elif self.works_while_waiting:
            self.work()
        self.shop.clock.ahead += seconds + 1
        self.workflow.now = int(self.shop.clock())

    @property
    def reasons(self) -> set[str]:
        """Why events were parked."""
        return {row["parked_reason"] for row in self.workflow.rows("events") if "parked_reason" in row}

    @property
    def endpoints(self) -> list[str]:
        return [one.id for one in self.shop.stripe.v1.webhook_endpoints.list().data]

    @property
    def stored(self) -> list[str | None]:
        """The endpoints whose secrets are stored."""
        value = boto3.client("secretsmanager").get_secret_value(SecretId=SECRET_ID)["SecretString"]
        return [secret.endpoint_id for secret in read_secrets(value)]


@pytest.fixture
def office(workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    secrets = boto3.client("secretsmanager")
    with Shop() as shop:
        office = Office(workflow, shop)
        monkeypatch.setattr("stripe.RequestsClient", REQUESTS_CLIENT)
        monkeypatch.setattr("ops.webhook.sleep", office.slept)
        monkeypatch.setattr(lambda_runtime, "forget_adapters", lambda **_: None)
        monkeypatch.setattr(Stage, "webhook_url", shop.webhook.url)
        monkeypatch.setitem(lambda_runtime.SSM_PARAMETERS, "stripe_api_url", shop.stand_in.url)
        stage_of_the_workflow()
        yield office
    secrets.put_secret_value(SecretId=SECRET_ID, SecretString=SECRETS["stripe_webhook_secrets"])


def older_endpoint(office: Office) -> None:
    """One of an older API version, whose secret an operator has stored by hand."""
    params: Any = {
        "url": office.shop.webhook.url,
        "enabled_events": sorted(HANDLED_EVENTS),
        "api_version": OLD_VERSION,
    }
    made = office.shop.stripe.v1.webhook_endpoints.create(params)
    boto3.client("secretsmanager").put_secret_value(SecretId=SECRET_ID, SecretString=f"{made.secret}\n")


@pytest.mark.parametrize("step", ["roll", "sync"])
def test_the_functions_refuse_nothing_while_a_secret_is_rolled(office: Office, step: str) -> None:
    """By `roll`, or by `sync` from an older API version."""
    older_endpoint(office)
    if step == "roll":
        office.nyanko("sync")
        office.nyanko("roll", "--finish")
    office.sell()
    rolled = office.nyanko(step)
    assert rolled.exit_code == 0, rolled.stderr
    office.sell()
    assert len(office.endpoints) == len(office.stored) == 2
    finished = office.nyanko("roll", "--finish")
    assert finished.exit_code == 0, finished.stderr
    office.sell()
    office.work()
    assert set(office.answers) == {200}
    assert "BadSignature" not in office.reasons
    assert office.stored == office.endpoints


def test_the_old_secret_is_kept_while_what_it_signed_waits_in_the_queue(office: Office) -> None:
    older_endpoint(office)
    office.nyanko("sync")
    office.sell()
    office.works_while_waiting = False
    refused = office.nyanko("roll", "--finish")
    assert refused.exit_code == REFUSED
    assert "events wait in the queue that the old secret may have signed" in " ".join(refused.stderr.split())
    assert (len(office.endpoints), len(office.stored)) == (1, 2)
    office.works_while_waiting = True
    assert office.nyanko("roll", "--finish").exit_code == 0
    assert office.stored == office.endpoints
    assert "BadSignature" not in office.reasons


def test_sync_says_where_versions_differ(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "nyanko.adapters.stripe_endpoints.StripeEndpoints.account_version", lambda _: OLD_VERSION
    )
    said = " ".join(office.nyanko("sync").stdout.split())
    assert f"the account's default API version is {OLD_VERSION}" in said
    assert "our code reads" not in said
    [endpoint] = office.shop.stripe.v1.webhook_endpoints.list().data
    assert endpoint.api_version == API_VERSION


def test_a_command_that_must_wait_is_refused_with_a_sentence(office: Office) -> None:
    boto3.client("secretsmanager").put_secret_value(SecretId=SECRET_ID, SecretString="whsec_of_nobody")
    answer = office.nyanko("roll", "--finish")
    assert (answer.exit_code, "`webhook sync`" in answer.stderr) == (REFUSED, True)
