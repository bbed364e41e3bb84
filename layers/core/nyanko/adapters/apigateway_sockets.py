"""Open WebSockets, as API Gateway's `@connections` reaches them."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from nyanko.adapters.aws_errors import aws_errors

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient


class Sockets:
    """`client` is called when somebody listens."""

    def __init__(self, client: "Callable[[], ApiGatewayManagementApiClient]") -> None:
        self._client = client

    def post(self, connection_id: str, frame: str) -> bool:
        """Send a frame; False when the connection is gone for good.

        Raises `Retryable` when it may work later: throttled, the client's buffer full, or a fault of API
        Gateway (https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html).
        """
        try:
            with aws_errors("API Gateway"):
                self._client().post_to_connection(ConnectionId=connection_id, Data=frame.encode())
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == HTTPStatus.GONE:
                return False
            raise
        return True
