"""The webhook as it is usually written, against which ours is measured.

It imports what such a project has: the Stripe SDK for the signature, boto3, Powertools with Tracer (whose
X-Ray SDK patches boto3), Metrics, parameters, a pydantic model of the event, and the whole of `nyanko`. It
does what ours does: secret, signature, message, metric and log line.
"""

import json
import os
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import boto3
import stripe
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities import parameters
from pydantic import BaseModel

import nyanko

for module in walk_packages(nyanko.__path__, "nyanko."):
    import_module(module.name)

logger = Logger()
tracer = Tracer()
metrics = Metrics(namespace="usual")
sqs = boto3.client("sqs")


class Event(BaseModel):
    id: str
    type: str
    created: int
    livemode: bool
    data: dict[str, Any]


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics
def lambda_handler(proxy_event: dict[str, Any], _context: object) -> dict[str, Any]:
    body, signature = proxy_event["body"], proxy_event["headers"]["Stripe-Signature"]
    secret = parameters.get_secret("stg_jm_nyanko_stripe_webhook_secrets", max_age=300)
    stripe.Webhook.construct_event(body, signature, secret)
    event = Event.model_validate_json(body)
    sqs.send_message(
        QueueUrl=os.environ["PAYMENT_EVENTS_URL"],
        MessageBody=json.dumps({"event_id": event.id, "body": body, "signature": signature}),
    )
    metrics.add_metric(name="Accepted", unit=MetricUnit.Count, value=1)
    logger.info("accepted", extra={"event_id": event.id, "type": event.type})
    return {"statusCode": 200, "body": json.dumps({"received": True})}
