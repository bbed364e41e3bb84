"""The walk's DynamoDB answers as ministack does: to the adapters, at random, and at the limits."""

import importlib
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

import nyanko.adapters
from local import aws, foundation, programs
from local.names import ROOT, loopback
from local.stack import Ports
from nyanko.adapters.dynamodb import from_item, to_item
from nyanko.adapters.dynamodb_table import ConditionFailed
from nyanko.composition.adapters import Adapters
from nyanko.errors import BadInput, Retryable
from nyanko.grants import converge
from nyanko.limits import LimitList
from nyanko.notices import new_notice
from nyanko.pages import Page
from nyanko.replays import ReplayRow
from nyanko.spends import Spend
from tests.data import MIKE, PAID, STARTER_PACK, THREE_PACKS
from tests.walk.aws import READS, Paginator
from tests.walk.dynamodb import DynamoDB

SCHEMAS = json.loads(foundation.TABLES.read_text())


def name_of(noun: str) -> str:
    return f"test_jm_nyanko_{noun}"


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    directory = tmp_path_factory.mktemp("dynamodb")
    for folder in ("logs", "tmp"):
        (directory / folder).mkdir()
    port = Ports.free().aws
    process = programs.ministack(port, directory, on_restart=lambda: None)
    process.start()
    try:
        process.await_health()
        client = aws.client("dynamodb", loopback(port))
        for noun, schema in SCHEMAS.items():
            foundation._create_table(client, name_of(noun), schema)
        yield client
    finally:
        process.stop()


double = partial(DynamoDB, SCHEMAS, name_of)
Call = tuple[str, Mapping[str, Any]]
"""The name of an operation, and its parameters."""


class Both:
    """A client whose every call goes to the double and to another client, which must answer the same."""

    def __init__(self, other: Any) -> None:
        self.double, self._other = double(), other
        self.exceptions = self.double.exceptions
        self.calls: list[Call] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return partial(self._call, operation)

    def get_paginator(self, operation: str) -> Paginator:
        return Paginator(partial(self._call, operation))

    def _call(self, operation: str, **given: Any) -> Any:
        self.calls.append((operation, given))
        version, request = self.double.version, deepcopy(given)
        ours, theirs = outcome(self.double, operation, request), outcome(self._other, operation, given)
        assert comparable(ours, operation) == comparable(theirs, operation), (operation, given)
        if isinstance(ours, ClientError):
            assert self.double.version == version
            raise ours
        assert (self.double.version > version) == (operation not in READS)
        for item in (request.get("Item", {}), ours.get("Item", {}), *ours.get("Items", [])):
            item.clear()  # a row belongs to nobody who gave or got it
        return theirs


def outcome(client: Any, operation: str, given: Any) -> Any:
    try:
        return getattr(client, operation)(**given)
    except ClientError as error:
        return error


def comparable(outcome: Any, operation: str) -> Any:
    """An outcome without what nobody is promised: messages, and the order of scans and batches."""
    answer = {"ResponseMetadata": {"HTTPStatusCode": 200}, **getattr(outcome, "response", outcome)}
    rows = {"": answer.pop("Items", []), **answer.pop("Responses", {})}
    if operation != "query":
        rows = {table: in_no_order(items) for table, items in rows.items()}
    reasons = [(reason["Code"], reason.get("Item")) for reason in answer.pop("CancellationReasons", [])]
    refusal = answer.pop("ResponseMetadata")["HTTPStatusCode"], answer.pop("Error", {}).get("Code"), reasons
    return rows, refusal, {name: value for name, value in answer.items() if name.lower() != "message"}


in_no_order: Callable[..., list[Any]] = partial(sorted, key=partial(json.dumps, sort_keys=True))


@pytest.fixture
def both(ministack: Any) -> Iterator[Both]:
    """Both with empty tables; what a test leaves in them must be the same."""
    both = Both(ministack)
    yield both
    for noun, schema in SCHEMAS.items():
        left = both.scan(TableName=name_of(noun), ConsistentRead=True)["Items"]
        assert in_no_order(both.double.rows(noun)) == in_no_order([*map(from_item, left)])
        for row in left:
            key = {name: row[name] for part, name in schema.items() if part in {"hash_key", "range_key"}}
            ministack.delete_item(TableName=name_of(noun), Key=key)


def made(client: Any, call: Call) -> Any:
    return getattr(client, call[0])(**call[1])


def request(more: Mapping[str, Any], **given: Any) -> dict[str, Any]:
    """A request in which a placeholder is what `more` has for it, and otherwise its own name or digits."""
    given |= {name: value for name, value in more.items() if name[0].isupper()}
    texts = str([text for name, text in given.items() if name.endswith("Expression")])
    own = {word: int(word) if word.isdigit() else word for word in re.findall(r":(\w+)", texts)}
    values = to_item({f":{word}": more.get(word, value) for word, value in own.items()})
    names = {f"#{name}": name for name in re.findall(r"#(\w+)", texts)}
    said = {"ExpressionAttributeNames": names or None, "ExpressionAttributeValues": values or None, **given}
    return {name: value for name, value in said.items() if value is not None}


def on_row(operation: str, role: str, noun: str, row: Any, condition: str | None = None, **more: Any) -> Call:
    named = {"TableName": name_of(noun), role: to_item(row)}
    return operation, request(more, **named, ConditionExpression=condition)


get, put = partial(on_row, "get_item", "Key"), partial(on_row, "put_item", "Item")


def update(noun: str, key: Any, expression: str, condition: str | None = None, **more: Any) -> Call:
    return on_row("update_item", "Key", noun, key, condition, UpdateExpression=expression, **more)


def read(noun: str, condition: str | None = None, **more: Any) -> Call:
    given = request(more, TableName=name_of(noun), KeyConditionExpression=condition)
    return "query" if condition else "scan", given


def batches(noun: str, keys: Any) -> list[Call]:
    """Read keys in a batch, and delete them."""
    items = [*map(to_item, keys)]
    deletes = [{"DeleteRequest": {"Key": item}} for item in items]
    asked = {"batch_get_item": {"Keys": items}, "batch_write_item": deletes}
    return [(operation, {"RequestItems": {name_of(noun): given}}) for operation, given in asked.items()]


def transact(*calls: Call) -> Call:
    return "transact_write_items", {"TransactItems": [{KINDS[name]: given} for name, given in calls]}


KINDS = {"put_item": "Put", "update_item": "Update"}
TICKET, PURCHASE, MIKES = {"ticket_hash": "t"}, {"purchase_id": "pur_0"}, "player_id = :mike"
BOUGHT = {**PURCHASE, "player_id": "mike", "created_at": 8}
TICKETS = [{"ticket_hash": str(number)} for number in range(101)]
FOOD = {"player_id": "mike", "item_id": "cat_food"}
STATES = yaml.safe_load((ROOT / "statemachines" / "payment.asl.yaml").read_text())["States"]
CLAIM = {name: value for name, value in STATES["ClaimEvent"]["Parameters"].items() if "Expression" in name}


def call_an_adapter(chance: random.Random, both: Any) -> None:
    """Make a call of an adapter, or of the workflow, on one of so few rows that calls often meet."""
    shop: Any = Adapters({"STAGE": "test"}, lambda _service: both, lambda: 0)  # type: ignore[arg-type]
    now, number, event = chance.randrange(200), chance.randrange(3), f"evt_{chance.randrange(3)}"
    sold = replace(THREE_PACKS, purchase_id=f"pur_{chance.randrange(3)}", version=number, created_at=now)
    grant, mike, pur = converge(replace(sold, facts=PAID), now), sold.player_id, sold.purchase_id
    lists = [LimitList(mike, "month", [pur], number + 1)][number // 2 :]
    spend, notice = Spend(f"feed_{number}", "cat_food", 9 * number + 1), new_notice(sold, grant.notice, now)
    failed = {"received_at": now, "body": "{}", "signature": "s", "event_id": event, "execution": "run"}
    claimed = {"event_id": event, "state": "claimed", "purchase_id": pur, "created": now, "execution": "run"}
    who, ticket, socket = chance.choice(["mike", "tama", None]), f"ticket_{number}", f"socket_{number}"
    calls: list[Callable[[], object]] = [
        lambda: (shop.purchases.create(sold, lists), shop.limits.read(mike, "month")),
        lambda: (shop.purchases.attach_session(sold, "cs_1", ""), shop.purchases.record(sold, PAID, now)),
        lambda: shop.purchases.of_player(mike, Page(2, {"purchase_id": pur, "created_at": now})),
        lambda: shop.purchases.of_player(mike, Page(1, shop.purchases.of_player(mike, Page(1))[1])),
        lambda: (shop.purchases.id_by_payment_intent("pi_mike"), [*shop.purchases.all()]),
        lambda: (shop.events.state(event), made(both, put("events", {**claimed, "expires_at": 9}, **CLAIM))),
        lambda: shop.events.park(failed, "NotFound", "why", None, pur if who else None, now),
        lambda: (shop.events.unfinished(["evt_0", "evt_1", "evt_2"]), shop.events.apply(event, pur, now)),
        lambda: (shop.events.parked_ids(), shop.events.ids_of_purchase(pur)),
        lambda: shop.grants.apply(grant, event, "run", now),
        lambda: (shop.grants.items_of(sold), shop.ledger.of_player(mike)),
        lambda: shop.inventory.spend(mike, spend, now),
        lambda: (shop.inventory.all(), shop.inventory.of_player(mike), [*shop.ledger.all()]),
        lambda: (shop.notices.put(notice), shop.notices.unseen(mike)),
        lambda: (shop.notices.acknowledge(mike, notice.notice_id, now), shop.notices.of_player(mike)),
        lambda: (shop.connections.put("mike", socket, now), shop.connections.of_player("mike", 7900)),
        lambda: shop.connections.delete("mike", ["socket_0", "socket_1"]),
        lambda: (shop.tickets.redeem(ticket, who, now), shop.tickets.put(ticket, who or "mike", now)),
        lambda: (shop.checkpoints.put("reconcile", {"until": now}), shop.checkpoints.get("reconcile")),
        lambda: (shop.players.put(replace(MIKE, profile_read_at=now)), shop.players.get(mike)),
        lambda: (shop.products.put(replace(STARTER_PACK, unit_amount=now)), shop.products.all()),
        lambda: (shop.replays.put(ReplayRow(event, "run", who or "", now, "")), shop.replays.of_event(event)),
    ]
    with suppress(ClientError, ConditionFailed, BadInput, Retryable):
        chance.choice(calls)()


@pytest.mark.parametrize("seed", range(2))
def test_both_answer_the_adapters_and_what_is_like_them_alike(seed: int, both: Both) -> None:
    chance = random.Random(seed)  # noqa: S311 to be had again
    for _ in range(400):
        call_an_adapter(chance, both)
    named = [
        value
        for path in Path(nyanko.adapters.__file__).parent.glob("dynamodb_*.py")
        for name, value in vars(importlib.import_module(f"nyanko.adapters.{path.stem}")).items()
        if name.isupper() and isinstance(value, str) and re.search("[ (]", value)
    ]
    calls, said = both.calls[:], str(both.calls)
    assert [expression for expression in named if expression not in said] == [] != named
    writes = [call for call in calls if call[0] in KINDS]
    for _ in range(300):
        name, given = chance.choice(calls)
        if name == "query":
            given = {**given, "ScanIndexForward": chance.random() < 0.5, "Limit": chance.randint(1, 5)}
        outcome(both, *chance.choice([(name, given), transact(*chance.sample(writes, 4))]))


def on_inventory(**key: Any) -> list[Call]:
    """Each way to name a row of the table `inventory`."""
    row = {**FOOD, **key}
    named = [get("inventory", row), put("inventory", row), on_row("delete_item", "Key", "inventory", row)]
    changed = [update("inventory", row, "ADD quantity :1"), transact(put("inventory", row))]
    return [*named, *changed, *batches("inventory", [row])]


def with_others(call: Call) -> Call:
    return transact(put("players", {"subject": "m"}), call, put("inventory", FOOD, "attribute_exists(a)"))


def large(size: int, character: str = "b") -> Call:
    left = size - len("ticket_hash" + "large" + "body")
    return put("tickets", {"ticket_hash": "large", "body": character * (left // len(character.encode()))})


changes = partial(map, partial(update, "tickets", TICKET))
conditions = partial(map, partial(update, "tickets", TICKET, "SET seen = :1"))
LARGEST, GROW = 400 * 1024, update("tickets", {"ticket_hash": "large"}, "SET a = :1")
READY = [
    put("tickets", {**TICKET, "one": 1, "ten": 10, "cat": "猫が", "held": [1, {"a": None}]}),
    *conditions(["ten >= :10", "ten > :9", "cat > :z", "begins_with(cat, :猫)", "NOT lost IN (:1, :2)"]),
    *conditions(["one = :1 OR one = :2 AND ten = :1", "ten = :10 AND NOT one IN (:2)"]),
    update("tickets", TICKET, "SET a = :9, b = :5", "held = :held", held=[1, {"a": None}]),
    *changes(["SET b = if_not_exists(a, :1)", "SET a = b - :1, b = a - :2 ADD c :3"]),
    *on_inventory(player_id="猫" * 682 + "xx", item_id="x" * 1024),
    transact(*(put("tickets", ticket) for ticket in TICKETS[:100])),
    *(batches("tickets", TICKETS[:100])[0], batches("tickets", TICKETS[:25])[1]),
    *(put("purchases", BOUGHT), put("ledger", {"player_id": "mike", "line_id": "a"}), large(LARGEST)),
]
IMPOSSIBLE = list(changes(["SET b = lost - :1", "ADD cat :1", "ADD ten :text"]))

REFUSED: dict[str, list[Call]] = {
    "comparing numbers as texts, texts not by their bytes, joining by OR before AND, or by AND before NOT": [
        *conditions(["ten > :10", "ten >= :11", "ten = :ten", "cat > :1", "cat > :𠮷", "held = :1"]),
        *conditions(["begins_with(cat, :が)", "lost = :1", "lost > :1", "lost >= :1"]),
        *conditions(["one = :2 AND ten = :1 OR ten = :1 AND one = :1", "NOT one IN (:2, :1) AND ten = :10"]),
    ],
    "impossible updates": [*IMPOSSIBLE, *map(with_others, IMPOSSIBLE), *changes(["SET ticket_hash = :t"])],
    "asking for anything but one partition": [
        *(read("ledger", text) for text in ("line_id = :a", "player_id > :mike", f"{MIKES} AND delta = :1")),
        read("ledger", f"{MIKES} AND line_id > :a AND line_id > :b"),
        *(read("ledger", MIKES, mike=value) for value in (5, "")),
        read("ledger", MIKES, ExclusiveStartKey=to_item({"player_id": "mike"})),
        read("purchases", IndexName="by_player", ConsistentRead=True),
    ],
    "keys of another type, without a byte, or of more than 2,048 and 1,024": [
        *(*on_inventory(player_id="猫" * 683), *on_inventory(item_id="x" * 1025)),
        *(*on_inventory(player_id=""), *on_inventory(item_id="")),
        *(get("inventory", key) for key in ({"player_id": "mike"}, {**FOOD, "a": 1}, {**FOOD, "item_id": 3})),
        transact(update("inventory", {**FOOD, "item_id": 3}, "ADD quantity :1")),
        *(put("purchases", {**BOUGHT, **key}) for key in ({"created_at": "1"}, {"payment_intent": ""})),
        *(update("purchases", PURCHASE, f"SET {key} = :a", a="") for key in ("created_at", "payment_intent")),
    ],
    "items of more than 400 KB": [large(LARGEST + 1), large(LARGEST + 4, "𠮷"), GROW, transact(GROW)],
    "placeholders without a value or a use, and reserved words without one": [
        *conditions(["attribute_exists(state)"]),
        *(*changes(["SET url = :1"]), get("tickets", TICKET, ProjectionExpression="Name")),
        put("tickets", TICKET, "one = :1", ExpressionAttributeValues=to_item({":1": 1, ":2": 2})),
        put("tickets", TICKET, "one = :1", ExpressionAttributeValues=to_item({":2": 2})),
        put("tickets", TICKET, "attribute_exists(#one)", ExpressionAttributeNames=None),
        transact(put("tickets", TICKET, "attribute_exists(one)", ExpressionAttributeNames={"#b": "b"})),
    ],
    "a row twice, or more than 100, 25 and 100 at once": [
        *(batches("tickets", TICKETS[:26])[1], *batches("tickets", TICKETS)),
        *(*batches("tickets", [TICKET, TICKET]), *batches("tickets", [TICKET, FOOD])),
        transact(*(put("tickets", ticket) for ticket in TICKETS)),
        transact(put("tickets", TICKET), update("tickets", TICKET, "SET a = :1")),
    ],
}

UNUSED = "what no adapter uses"
LONG = update("purchases", PURCHASE, "SET payment_intent = :id", id="x" * 2049)
ALONE: dict[str, list[Call]] = {
    "Constraints.html": [put("purchases", {**BOUGHT, "payment_intent": "x" * 2049}), LONG, with_others(LONG)],
    "CapacityUnitCalculations.html": [put("tickets", {**TICKET, "list": ["x" * (LARGEST - 23), -100]})],
    "Expressions.UpdateExpressions.html": [*changes(["SET a = :1 SET b = :1", "SET a = :1 REMOVE a"])],
    "Expressions.ExpressionAttributeNames.html": [put("tickets", TICKET, ExpressionAttributeNames={})],
    "Query.FilterExpression.html": [read("ledger", MIKES, FilterExpression="line_id > :a")],
    "Query.KeyConditionExpressions.html": [
        read("ledger", f"{MIKES} {more}") for more in ("AND attribute_exists(line_id)", "OR line_id = :a")
    ],
    "ReservedWords.html": [read("ledger", MIKES, FilterExpression="state = :1")],
    UNUSED: [
        *conditions(["one < :1", "(one = :1)", "one = ten", "size(one) > :1"]),
        *changes(["REMOVE a", "DELETE b :1 SET a = :1", "SET a = :1 DELETE b :1"]),
        *(put("tickets", TICKET, ReturnValues="ALL_OLD"), read("ledger", MIKES, Select="COUNT")),
        ("transact_write_items", {"TransactItems": [{"ConditionCheck": {}}]}),
    ],
}


@pytest.mark.parametrize("calls", REFUSED.values(), ids=REFUSED)
def test_both_refuse(calls: Sequence[Call], both: Both) -> None:
    for call in READY:
        made(both, call)
    for call in calls:
        with pytest.raises(ClientError):
            made(both, call)


@pytest.mark.parametrize(("page", "calls"), ALONE.items(), ids=ALONE)
def test_the_double_alone_refuses(page: str, calls: Sequence[Call]) -> None:
    """What AWS documents, on pages of https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/."""
    for call in calls:
        with pytest.raises(NotImplementedError if page == UNUSED else ClientError) as refused:
            made(double(), call)
        assert ("TransactionCanceled" in repr(refused.value)) == (call == with_others(LONG))


def test_only_consistent_reads_see_what_replicas_and_indexes_lack() -> None:
    chance, recorder = random.Random(1), Both(double())  # noqa: S311 to be had again
    for _ in range(600):
        call_an_adapter(chance, recorder)
    consistent = [call for call in recorder.calls if "'ConsistentRead': True" in str(call)]
    others = [call for call in recorder.calls if call[0] in READS and call not in consistent]
    ours, past, present = double(), double(), double()
    for number, call in enumerate(recorder.calls):
        ours.lagging = number > len(recorder.calls) // 2
        for client in (ours, present) if ours.lagging else (ours, past, present):
            outcome(client, *call)
    assert ours.rows("events") == present.rows("events") != past.rows("events")

    def seen(client: Any, reads: Sequence[Call]) -> list[Any]:
        return [made(client, call) for call in reads]

    assert seen(ours, consistent) == seen(present, consistent) != seen(past, consistent)
    assert seen(ours, others) == seen(past, others) != seen(present, others)
    ours.catch_up()
    assert seen(ours, others) == seen(present, others)


def test_scans_and_batches_are_not_in_the_order_of_keys_or_writes() -> None:
    made(ours := double(), transact(*(put("tickets", ticket) for ticket in TICKETS[:9])))
    batch, scan = made(ours, batches("tickets", TICKETS[:9])[0]), made(ours, read("tickets"))
    assert [*map(to_item, TICKETS[:9])] not in [*batch["Responses"].values(), scan["Items"]]
