"""What an event of Stripe's takes of AWS, counted while the shipped workflow runs in-process.

    webhook ──► queue ──► start_payment ──► the shipped workflow ──► functions ──► tables

Every call of a client is seen, and every item before and after it was written. How DynamoDB counts units:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import pytest
from botocore.client import BaseClient
from moto.dynamodb.models import dynamodb_backends

from local.event import request
from nyanko.composition.function import adapters
from tests import template
from tests.printed import printed
from tests.stripe_events import SECRET
from tests.workflow import lambda_runtime
from tests.workflow.calls import caller
from tests.workflow.engine import Workflow

WORKFLOW = "payment"
"""Who calls when Step Functions itself does."""

UNIT_BYTES = 1024
TRANSACTION = 2
"""A transaction prepares every item and then commits it. What it changes in indexes follows once."""


@dataclass
class Counts:
    """What one event took: calls by caller (a function's folder or `WORKFLOW`) and operation, write units by
    table with its indexes, rows that queries read, bytes that functions logged.

    `calls` leaves out what AWS does by itself: Step Functions invokes a function, Lambda reads the queue.
    """

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    invocations: int = 0
    transitions: int = 0
    write_units: Counter[str] = field(default_factory=Counter)
    queried_rows: int = 0
    logged_bytes: int = 0

    @property
    def totals(self) -> dict[str, int]:
        """By the names in budget.yaml."""
        behind = [number for (who, _), number in self.calls.items() if who != "stripe_webhook"]
        return {
            "calls": self.calls.total(),
            "calls_after_the_queue": sum(behind),
            "invocations": self.invocations,
            "transitions": self.transitions,
            "write_units": self.write_units.total(),
            "queried_rows": self.queried_rows,
            "logged_bytes": self.logged_bytes,
        }


def deliver(workflow: Workflow, event: Mapping[str, Any]) -> Counts:
    """Deliver an event of Stripe's to the webhook, and let it run until nothing is left to do."""
    counts = Counts(invocations=1)
    earlier = {execution.name for execution in workflow.executions(event["id"])}
    workflow.invoked.clear()
    with _recording(counts):
        workflow.invoke("stripe_webhook", request(dict(event), SECRET, workflow.now))
    for message in workflow.queued():
        counts.invocations += 1
        with _recording(counts):
            assert not workflow.receive(message), f"{event['id']} was given back to the queue"
    counts.invocations += len(workflow.invoked)
    for execution in workflow.executions(event["id"]):
        if execution.name not in earlier:
            counts.transitions += _transitions(workflow.history(execution.name))
    return counts


def put(noun: str, row: Mapping[str, Any]) -> None:
    """Put an item into a table without a call, which would take too long for thousands of them."""
    _table(noun).put_item(dict(row))


def _transitions(history: Sequence[Mapping[str, Any]]) -> int:
    """Billed is starting, entering a state, and retrying one (https://aws.amazon.com/step-functions/pricing/)."""
    happened = Counter(event["type"] for event in history)
    entered = sum(number for kind, number in happened.items() if kind.endswith("StateEntered"))
    return 1 + entered + happened["TaskScheduled"] - happened["TaskStateEntered"]


@contextmanager
def _recording(counts: Counts) -> Iterator[None]:
    """Count what happens meanwhile, in functions that are warm: they keep what they have built and read."""
    call = BaseClient._make_api_call  # type: ignore[attr-defined] # private

    def recorded(client: BaseClient, operation: str, params: Mapping[str, Any]) -> Any:
        service, function = client.meta.service_model.service_name, caller()
        if service == "lambda":
            return call(client, operation, params)
        counts.calls[function.folder if function else WORKFLOW, f"{service} {operation}"] += 1
        if service != "dynamodb":
            return call(client, operation, params)
        written = list(_written(operation, params))
        before = [_stored(*place) for place in written]
        try:
            answer = call(client, operation, params)
        finally:
            # What a condition refuses costs as much as a write that changes nothing.
            times = TRANSACTION if operation == "TransactWriteItems" else 1
            for place, old in zip(written, before, strict=True):
                counts.write_units[place[0]] += _units(old, _stored(*place), times)
        counts.queried_rows += answer.get("ScannedCount", 0)
        return answer

    with pytest.MonkeyPatch.context() as patch, printed() as text:
        patch.setattr(BaseClient, "_make_api_call", recorded)
        patch.setattr(lambda_runtime, "forget_adapters", lambda **_options: None)
        yield
    counts.logged_bytes += len(text.getvalue().encode())


Stored = tuple[int, dict[str, Any]]
"""An item's bytes, and its entries by index."""


def _written(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Table and key of each item that is written."""
    match operation:
        case "TransactWriteItems":
            writes = [item for write in params["TransactItems"] for item in write.values()]
        case "PutItem" | "UpdateItem" | "DeleteItem":
            writes = [params]
        case "GetItem" | "BatchGetItem" | "Query" | "Scan":
            writes = []
        case _:
            raise NotImplementedError(f"say here what {operation} writes")
    for write in writes:
        noun = write["TableName"].removeprefix(adapters().resource(""))
        named = write.get("Key", write.get("Item"))
        yield noun, {name: named[name] for name in _table(noun).table_key_attrs}


def _stored(noun: str, key: Mapping[str, Any]) -> Stored:
    item = dynamodb_backends[template.ACCOUNT][template.REGION].get_item(adapters().resource(noun), dict(key))
    if item is None:
        return 0, {}
    entries = {
        index.name: index.project(item).to_json()
        for index in _table(noun).all_indexes()
        if all(name in item.attrs for name in index.schema_key_attrs)
    }
    return item.size(), entries


def _units(before: Stored, after: Stored, times: int) -> int:
    """The larger size decides. An index holds keys alone, so an entry that changes is deleted and put."""
    (old_size, old), (new_size, new) = before, after
    entries = sum((name in old) + (name in new) for name in old | new if old.get(name) != new.get(name))
    return max(1, ceil(max(old_size, new_size) / UNIT_BYTES)) * times + entries


def _table(noun: str) -> Any:
    return dynamodb_backends[template.ACCOUNT][template.REGION].tables[adapters().resource(noun)]
