"""The use case of a stage's webhook endpoint, with its adapters."""

from collections.abc import Callable
from time import sleep

from nyanko.adapters.secretsmanager_secrets import MAX_AGE_SECONDS
from nyanko.adapters.sqs_depth import QueueDepth
from nyanko.adapters.stepfunctions_history import ExecutionHistory
from nyanko.endpoints import Versions
from nyanko.use_cases.webhook_endpoint import WebhookEndpoint
from ops.stages import Stage


def wait_for_functions() -> None:
    """Until every function has read the secrets anew."""
    sleep(MAX_AGE_SECONDS)


class StagePipeline:
    """What was accepted and is on its way in a stage."""

    def __init__(self, depth: Callable[[], QueueDepth], history: Callable[[], ExecutionHistory]) -> None:
        self._depth = depth
        self._history = history

    def queued(self) -> int:
        return self._depth()()

    def running(self) -> set[str]:
        return set(self._history().with_status("RUNNING"))


def endpoint_of(stage: Stage, say: Callable[[str], object] = lambda _: None) -> WebhookEndpoint:
    adapters = stage.adapters
    return WebhookEndpoint(
        stage.webhook_url,
        f"jm_nyanko {stage.name}",
        stripe=adapters.stripe_endpoints,
        secrets=adapters.secrets,
        pipeline=StagePipeline(lambda: adapters.payment_events_depth, lambda: adapters.execution_history),
        wait=wait_for_functions,
        sleep=sleep,
        say=say,
    )


def versions(stage: Stage) -> Versions | None:
    """The API versions of the endpoint that is in use and of the account; None if there is no endpoint."""
    stripe = stage.adapters.stripe_endpoints
    at = stripe.at(stage.webhook_url)
    in_use = [endpoint for endpoint in at if endpoint.is_used] or at
    return Versions(in_use[-1].api_version, stripe.account_version()) if in_use else None
