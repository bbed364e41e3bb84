"""Counting what one event takes, while it runs.

Every call of a client is seen, and every item before and after it was written. DynamoDB's units follow from
the items, and log lines are what is printed and what AWS writes itself.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.client import BaseClient
from moto.dynamodb.models import dynamodb_backends

from bench import log_lines
from bench.request_units import Item, Table, item_size, read_units, units_by_index, write_units
from local.foundation import TABLES
from nyanko.composition.function import adapters
from tests import template
from tests.printed import printed
from tests.workflow import lambda_runtime
from tests.workflow.calls import caller
from tests.workflow.engine import MACHINE

WORKFLOW = "payment"
"""Who calls when Step Functions itself does."""

SCHEMAS = {noun: Table.of(schema) for noun, schema in json.loads(TABLES.read_text()).items()}
Call = tuple[str, str]
"""Who calls, a function's folder or `WORKFLOW`, and what: `dynamodb PutItem`."""


@dataclass
class Counts:
    """What one event took; units by table or `table/index`, those of reads halved, since a read that may be
    stale takes half of one; what functions log by their folder.

    `calls` leaves out what AWS does by itself: Step Functions invokes a function, Lambda reads the queue.
    """

    calls: Counter[Call] = field(default_factory=Counter)
    invocations: Counter[str] = field(default_factory=Counter)
    write_units: Counter[str] = field(default_factory=Counter)
    read_halves: Counter[str] = field(default_factory=Counter)
    sqs_requests: int = 0
    states: list[str] = field(default_factory=list)
    transitions: int = 0
    event_bytes: int = 0
    answer_bytes: int = 0
    request_bytes: int = 0
    state_bytes: int = 0
    largest_state_bytes: int = 0
    logged_bytes: Counter[str] = field(default_factory=Counter)
    workflow_log_bytes: int = 0
    access_log_bytes: int = 0

    @property
    def read_units(self) -> float:
        return self.read_halves.total() / 2

    @property
    def after_the_queue(self) -> int:
        return sum(count for (caller, _), count in self.calls.items() if caller != "stripe_webhook")

    @property
    def scans(self) -> int:
        return sum(count for (_, what), count in self.calls.items() if what == "dynamodb Scan")

    @property
    def pushes(self) -> int:
        return sum(count for (_, what), count in self.calls.items() if what.endswith(" PostToConnection"))

    @property
    def lambda_log_bytes(self) -> int:
        """Of the lines that Lambda writes about invocations."""
        return sum(
            invocations * _bytes(log_lines.of_function(folder))
            for folder, invocations in self.invocations.items()
        )


def count_execution(counts: Counts, name: str, history: Sequence[Mapping[str, Any]]) -> None:
    """A transition is starting, entering a state, and retrying one
    (https://aws.amazon.com/step-functions/pricing/)."""
    happened = Counter(event["type"] for event in history)
    entered = [event["stateEnteredEventDetails"] for event in history if "stateEnteredEventDetails" in event]
    exited = [event["stateExitedEventDetails"] for event in history if "stateExitedEventDetails" in event]
    payloads = [len(state["input"].encode()) for state in entered]
    payloads += [len(state["output"].encode()) for state in exited]
    counts.states += [state["name"] for state in entered]
    counts.transitions += 1 + len(entered) + happened["TaskScheduled"] - happened["TaskStateEntered"]
    counts.state_bytes += sum(payloads)
    counts.largest_state_bytes = max(counts.largest_state_bytes, *payloads)
    execution_arn = f"{MACHINE.replace(':stateMachine:', ':execution:')}:{name}"
    counts.workflow_log_bytes += _bytes(log_lines.of_workflow(history, execution_arn))


@contextmanager
def recording(counts: Counts) -> Iterator[None]:
    """Count what happens meanwhile, in functions that are warm: they keep what they have built and read."""
    call = BaseClient._make_api_call  # type: ignore[attr-defined] # noqa: SLF001 boto3 has no public hook

    def recorded(client: BaseClient, operation: str, params: Mapping[str, Any]) -> Any:  # noqa: ANN401
        service = client.meta.service_model.service_name
        if service == "lambda":
            return call(client, operation, params)
        function = caller()
        counts.calls[function.folder if function else WORKFLOW, f"{service} {operation}"] += 1
        counts.request_bytes += len(json.dumps(params, default=str))
        if service != "dynamodb":
            return call(client, operation, params)
        return _count_units(counts, operation, params, lambda: call(client, operation, params))

    with pytest.MonkeyPatch.context() as patch, printed() as text:
        patch.setattr(BaseClient, "_make_api_call", recorded)
        patch.setattr(lambda_runtime, "forget_adapters", lambda **_options: None)
        patch.setenv("_X_AMZN_TRACE_ID", log_lines.TRACE)
        yield
    for line in text.getvalue().splitlines():
        counts.logged_bytes[json.loads(line)["service"]] += len(line.encode())


def _count_units(
    counts: Counts, operation: str, params: Mapping[str, Any], call: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    writes = list(_writes(operation, params))
    before = [_item(noun, key) for noun, key in writes]
    try:
        answer = call()
    finally:
        # What a condition refuses costs as much as a write that changes nothing.
        for (noun, key), old in zip(writes, before, strict=True):
            new = _item(noun, key)
            in_transaction = operation == "TransactWriteItems"
            counts.write_units[noun] += write_units(old, new, in_transaction=in_transaction)
            for index, units in units_by_index(SCHEMAS[noun], old, new):
                counts.write_units[f"{noun}/{index}"] += units
    for place, read in _reads(operation, params, answer):
        counts.read_halves[place] += int(2 * read)
    return answer


def _writes(operation: str, params: Mapping[str, Any]) -> Iterator[tuple[str, Item]]:
    """Table and key of each item that is written."""
    match operation:
        case "TransactWriteItems":
            for write in params["TransactItems"]:
                [item] = write.values()
                yield _noun(item["TableName"]), _key(item)
        case "PutItem" | "UpdateItem" | "DeleteItem":
            yield _noun(params["TableName"]), _key(params)
        case "GetItem" | "BatchGetItem" | "Query" | "Scan":
            pass
        case _:
            raise NotImplementedError(f"say here what {operation} writes")


def _reads(
    operation: str, params: Mapping[str, Any], answer: Mapping[str, Any]
) -> Iterator[tuple[str, float]]:
    """Table or index and units of what was read, but for what a filter dropped, which no answer has."""
    match operation:
        case "GetItem":
            consistent = params.get("ConsistentRead", False)
            yield (
                _noun(params["TableName"]),
                read_units(item_size(answer.get("Item", {})), consistent=consistent),
            )
        case "Query":
            index = f"/{params['IndexName']}" if "IndexName" in params else ""
            size = sum(item_size(item) for item in answer["Items"])
            consistent = params.get("ConsistentRead", False)
            yield f"{_noun(params['TableName'])}{index}", read_units(size, consistent=consistent)
        case "BatchGetItem":
            for name, asked in params["RequestItems"].items():
                consistent = asked.get("ConsistentRead", False)
                for item in answer["Responses"][name]:
                    yield _noun(name), read_units(item_size(item), consistent=consistent)


def _key(write: Mapping[str, Any]) -> Item:
    named = write.get("Key") or {
        name: write["Item"][name] for name in SCHEMAS[_noun(write["TableName"])].keys
    }
    key: Item = named
    return key


def _item(noun: str, key: Item) -> Item | None:
    found = dynamodb_backends[template.ACCOUNT][template.REGION].get_item(
        adapters().resource(noun), dict(key)
    )
    return found.to_json()["Attributes"] if found else None


def _noun(table_name: str) -> str:
    return table_name.removeprefix(adapters().resource(""))


def _bytes(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) for line in lines)
