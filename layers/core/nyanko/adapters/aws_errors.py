"""AWS's failures in our words."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004 its name there

from nyanko.errors import Retryable

TRANSIENT_CODES = frozenset(
    {
        "ExecutionLimitExceeded",
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


@contextmanager
def aws_errors(service: str) -> Iterator[None]:
    """Turn what may pass by itself into `Retryable`; leave everything else as it is.

    That is throttling, a fault on AWS's side, or no connection, after the SDK's own retries
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html).
    """
    try:
        yield
    except (ConnectionError, HTTPClientError) as error:
        raise Retryable("ServiceUnavailable", f"{service} could not be reached") from error
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        throttled = code in TRANSIENT_CODES or status == HTTPStatus.TOO_MANY_REQUESTS
        if throttled or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Retryable("ServiceUnavailable", f"{service} answered {code or status}") from error
        raise
