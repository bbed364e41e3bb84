"""The REST API as a player's client uses it: requests as API Gateway hands them on, and their answers."""

import json
from dataclasses import dataclass
from typing import Any

from tests.data import MIKE, SAMPLES, STARTER_PACK
from tests.workflow.engine import Workflow

ADULT, TEENAGER, CHILD, UNKNOWN = "1990-04", "2006-04", "2015-04", ""
"""Months of birth as the authorizer hands them on, at the time of `tests.stripe_events.NOW`."""

IDEMPOTENCY_KEY = "Idempotency-Key"


@dataclass(frozen=True)
class Answer:
    """`headers` are by lower-case name."""

    status: int
    body: Any
    headers: dict[str, str]

    def ok(self) -> Any:
        """The body of what succeeded."""
        assert self.status in {200, 201}, self
        return self.body

    @property
    def refused(self) -> tuple[int, str]:
        """Status and code of what was refused, which also says why."""
        error = self.body["error"]
        assert error["message"], self
        return self.status, error["code"]

    @property
    def figures(self) -> dict[str, int]:
        """What a refusal says in numbers."""
        return {
            name: figure for name, figure in self.body["error"].items() if name not in {"code", "message"}
        }


class Client:
    """Requests of one player, whom the authorizer has let in."""

    def __init__(self, workflow: Workflow, player_id: str = MIKE.player_id, birth_month: str = ADULT) -> None:
        self._workflow = workflow
        self._context = {"player_id": player_id, "birth_month": birth_month}

    def get(self, path: str, **query: str) -> Answer:
        return self.send("GET", path, queryStringParameters=query or None)

    def post(self, path: str, body: Any = None, key: str | None = None) -> Answer:
        """Send JSON; `key` is the Idempotency-Key."""
        return self.send("POST", path, key, body=json.dumps(body))

    def send(self, method: str, path: str, key: str | None = None, **changed: Any) -> Answer:
        """Send anything; `changed` are fields of API Gateway's event."""
        sample = SAMPLES["api"]
        headers = {name: value for name, value in sample["headers"].items() if name != IDEMPOTENCY_KEY}
        request = {
            "httpMethod": method,
            "path": path,
            "headers": headers if key is None else {**headers, IDEMPOTENCY_KEY: key},
            "body": None,
            "requestContext": {**sample["requestContext"], "authorizer": self._context},
        }
        answer = self._workflow.invoke("api", {**sample, **request, **changed})
        return Answer(
            answer["statusCode"],
            json.loads(answer["body"]),
            {name.lower(): values[0] for name, values in answer["multiValueHeaders"].items()},
        )


def order(quantity: int = 1, product_id: str = STARTER_PACK.product_id) -> dict[str, Any]:
    """What POST /checkout is sent."""
    return {"product_id": product_id, "quantity": quantity}


def purchase_ids(workflow: Workflow) -> set[str]:
    """Of every purchase that there is."""
    return {row["purchase_id"] for row in workflow.rows("purchases")}
