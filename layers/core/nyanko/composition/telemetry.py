"""The log of a function, and its figures.

Every line of an invocation can be joined with the others: by `request_id` with what Lambda itself logs, by
`event_id`, `purchase_id` and `execution` with those of other functions. A function appends these to its
logger as soon as it knows them.
"""

import nyanko.composition.collector  # noqa: F401, I001 before anything large

import os
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, TypeVar

from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from nyanko.errors import REFUSALS, NotOurs

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

Event = TypeVar("Event")
Answer = TypeVar("Answer")
Handler = Callable[[Event, "LambdaContext"], Answer]


def function_logger() -> Logger:
    """A logger of JSON lines, one for each function. X-Ray is off (docs/decisions/0006-no-x-ray.md)."""
    return Logger(xray_trace_id=None)


def joined(
    logger: Logger, expected: type[Exception] | None = None
) -> Callable[[Handler[Event, Answer]], Handler[Event, Answer]]:
    """Give all lines of one invocation its request id and whether it is a cold start, and clear between
    invocations what was appended.

    An exception is logged with all that is known by then, and raised; not so an `expected` one, which the
    function has told of. Powertools' own decorator adds name, ARN and memory size to every line besides,
    which CloudWatch bills and `service` says already.
    """

    def decorate(handler: Handler[Event, Answer]) -> Handler[Event, Answer]:
        is_cold = True

        @wraps(handler)
        def joined_handler(event: Event, context: "LambdaContext") -> Answer:
            nonlocal is_cold
            logger.structure_logs(request_id=context.aws_request_id, cold_start=is_cold)
            is_cold = False
            try:
                return handler(event, context)
            except Exception as error:
                if isinstance(error, (*REFUSALS, NotOurs)):
                    logger.warning("failed", extra={"error": type(error).__name__, "reason": str(error)})
                elif expected is None or not isinstance(error, expected):
                    logger.exception("failed", extra={"error": type(error).__name__})
                raise

        return joined_handler

    return decorate


def metric(name: str, value: float = 1, unit: str = "Count", **dimensions: str) -> None:
    """Give CloudWatch a figure, as a line of the log in its embedded metric format.

    `unit` is one of CloudWatch's; each figure carries the function's name as `service`
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html).
    Powertools' Metrics costs no cold start: its package imports them with the Logger.
    """
    namespace = f"{os.environ['STAGE']}_jm_nyanko"
    with single_metric(name=name, unit=MetricUnit(unit), value=value, namespace=namespace) as figure:
        for dimension, of in dimensions.items():
            figure.add_dimension(dimension, of)
