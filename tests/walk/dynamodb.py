"""DynamoDB in memory, as the adapters and the workflow call it: tables, indexes, expressions, transactions.

Its answers and errors are compared with ministack's in tests/integration/test_walk_dynamodb.py, and with
AWS's documents where ministack allows more than they do. A read that is not consistent sees a replica, which
lags for as long as a test wants it to.

It knows the expressions that are in use (`TESTS`, `UPDATES`); another one, or a parameter that no adapter
sends, raises `NotImplementedError`. These are left out: pages of 1 MB, batches that leave something
unprocessed, the 4 MB of a transaction, the 32 levels of nesting, and expiry.
"""
# ruff: noqa: N803 -- the parameters are boto3's

import marshal
import operator
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cache, partial
from typing import Any, NamedTuple
from zlib import crc32

from botocore.errorfactory import ClientExceptionsFactory
from botocore.exceptions import ClientError
from botocore.session import get_session
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from nyanko.adapters.dynamodb import from_item

Item = Mapping[str, Any]
"""Attribute name to `{"S": …}` and so on. Items share their attributes with whoever gave or got them: a
change makes a new item of old and new attributes, and an attribute never changes."""
Answer = dict[str, Any]

Place = tuple[Any, ...]
"""Where an item is: a checksum that scatters the partitions, as a scan finds them, and the item's keys."""

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
HASH_KEY_BYTES, RANGE_KEY_BYTES, ITEM_BYTES = 2048, 1024, 400 * 1024
READ_AT_ONCE, WRITTEN_AT_ONCE, TRANSACTED_AT_ONCE = 100, 25, 100

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
RESERVED = frozenset(ReservedKeywords.get_reserved_keywords())

_MODEL = get_session().get_service_model("dynamodb")
EXCEPTIONS: Any = ClientExceptionsFactory().create_client_exceptions(_MODEL)


class DynamoDB:
    """A client of tables that are empty at first, and the tables themselves.

    `schemas` are those of terraform/modules/data/tables.json by noun; `name_of` gives a noun's table its
    name. While it is `lagging`, replicas and indexes stay as they are until `catch_up`; otherwise they follow
    every write at once. `version` counts the writes.
    """

    def __init__(self, schemas: Mapping[str, Any], name_of: Callable[[str], str]) -> None:
        self.exceptions = EXCEPTIONS
        self.lagging, self.version = False, 0
        self._name_of = name_of
        self._tables = {name_of(noun): _Table(schema) for noun, schema in schemas.items()}

    def rows(self, noun: str) -> list[dict[str, Any]]:
        """Every row that a table has at this moment, as Python's values, in no particular order."""
        return [from_item(item) for item in self._tables[self._name_of(noun)].current.values()]

    def catch_up(self) -> None:
        """Bring the replicas and the indexes of all tables up to date."""
        for table in self._tables.values():
            table.catch_up()

    def get_item(self, *, TableName: str, Key: Item, ConsistentRead: bool = False, **more: Any) -> Answer:
        table = self._tables[TableName]
        names, _ = _parsed(more, "ProjectionExpression")
        item = table.view(None, consistent=ConsistentRead).get(table.place(table.current, Key))
        return {"Item": {name: item[name] for name in names or item if name in item}} if item else {}

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> Answer:
        [(name, asked)] = RequestItems.items()
        keys, options = asked["Keys"], {option: asked[option] for option in asked if option != "Keys"}
        _require_distinct([self._named(name, Key=key) for key in keys], READ_AT_ONCE)
        # No order is promised, and so this is not that of the keys
        # (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html).
        answers = [self.get_item(TableName=name, Key=key, **options) for key in reversed(keys)]
        found = [answer["Item"] for answer in answers if answer]
        return {"Responses": {name: found}, "UnprocessedKeys": {}}

    def query(self, *, TableName: str, ConsistentRead: bool = False, **more: Any) -> Answer:
        index, limit, after = (more.pop(name, None) for name in ("IndexName", "Limit", "ExclusiveStartKey"))
        forward = more.pop("ScanIndexForward", True)
        table = self._tables[TableName]
        view = table.view(index, consistent=ConsistentRead)
        keep, key, values = _parsed(more, "FilterExpression", "KeyConditionExpression")
        found = list(view.items())
        if key:
            partition = table.partition(view, key, values)
            if any(test.operands[0] in view.own_keys for tests in keep or () for test in tests):
                raise _invalid("Filter Expression can only contain non-primary key attributes")
            found = [entry for entry in found if entry[0][1] == partition and _holds(key, entry[1], values)]
        found.sort(key=operator.itemgetter(0), reverse=not forward)
        if after:
            start = table.place(view, after)
            follows = operator.gt if forward else operator.lt
            found = [entry for entry in found if follows(entry[0], start)]
        page = [item for _, item in found[:limit]]
        items = [dict(item) for item in page if keep is None or _holds(keep, item, values)]
        # A full page has a key even if nothing follows
        # (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html).
        last = {name: page[-1][name] for name in view.all_keys} if len(page) == limit else None
        answer = {"Items": items, "Count": len(items), "ScannedCount": len(page)}
        return {**answer, "LastEvaluatedKey": last} if last else answer

    scan = query

    def put_item(self, **request: Any) -> Answer:
        self._commit(self._prepare(**request))
        return {}

    update_item = put_item

    def delete_item(self, *, ReturnValues: str = "NONE", **request: Any) -> Answer:
        self._commit(write := self._prepare(**request))
        return {"Attributes": dict(write[2])} if write[2] and ReturnValues == "ALL_OLD" else {}

    def batch_write_item(self, *, RequestItems: Mapping[str, Sequence[Mapping[str, Any]]]) -> Answer:
        [(name, requests)] = RequestItems.items()
        named = [self._named(name, **request["DeleteRequest"]) for request in requests]
        _require_distinct(named, WRITTEN_AT_ONCE)
        self._commit(*[self._prepare(TableName=name, **request["DeleteRequest"]) for request in requests])
        return {"UnprocessedItems": {}}

    def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]]) -> Answer:
        if unused := {kind for request in TransactItems for kind in request} - {"Put", "Update"}:
            raise NotImplementedError(f"{unused} in a transaction")
        requests = [parameters for request in TransactItems for parameters in request.values()]
        _require_distinct([self._named(**request) for request in requests], TRANSACTED_AT_ONCE)
        writes, reasons = [], []
        for request in requests:
            try:
                writes.append(self._prepare(**request))
                reasons.append({"Code": "None"})
            except EXCEPTIONS.ConditionalCheckFailedException as error:
                shown = {name: value for name, value in error.response.items() if name == "Item"}
                reasons.append({"Code": "ConditionalCheckFailed", **shown})
            except _UnfitError as error:
                reasons.append({"Code": "ValidationError", "Message": str(error)})
        if len(writes) < len(reasons):
            raise _error("TransactionCanceledException", "see the reasons", CancellationReasons=reasons)
        self._commit(*writes)
        return {}

    def _named(self, TableName: str, Key: Item | None = None, **put: Any) -> Hashable:
        """What tells the row of a request from all others."""
        row = Key or put["Item"]
        return TableName, *(str(row.get(key)) for key in self._tables[TableName].current.all_keys)

    def _prepare(self, *, TableName: str, Item: Any = None, Key: Any = None, **more: Any) -> "_Write":
        """Prepare to put an `Item`, or with a `Key` to update what is there, or to delete it."""
        table, keys = self._tables[TableName], self._tables[TableName].current.all_keys
        shows_old = more.pop("ReturnValuesOnConditionCheckFailure", None) == "ALL_OLD"
        condition, steps, values = _parsed(more, "ConditionExpression", "UpdateExpression")
        if any(step.operands[0] in keys for step in steps or ()):
            raise _invalid("Cannot update an attribute that is part of the key")
        if Item:
            table.require_fit(Item, _invalid)
        given = Key or {key: Item[key] for key in keys if Item and key in Item}
        place = table.place(table.current, given)
        old = table.current.get(place)
        if condition and not _holds(condition, old or {}, values):
            shown = {"Item": dict(old)} if old and shows_old else {}
            raise _error("ConditionalCheckFailedException", "The conditional request failed", **shown)
        new = _updated(old or given, steps, values) if steps else dict(Item) if Item else None
        if steps and new:
            table.require_fit(new, _UnfitError)
        return table, place, old, new

    def _commit(self, *writes: "_Write") -> None:
        for table, place, _, new in writes:
            self.version += 1
            table.current.set(place, new)
            table.behind[place] = None
            if not self.lagging:
                table.catch_up()


class _View(dict[Place, Item]):
    """What a table, its replica or an index has at each place. `all_keys` are `own_keys` and the table's."""

    def __init__(self, schema: Mapping[str, Any], table_keys: Sequence[str] = ()) -> None:
        super().__init__()
        self.own_keys = [schema[key] for key in ("hash_key", "range_key") if key in schema]
        self.all_keys = tuple(dict.fromkeys([*self.own_keys, *table_keys]))
        self._keys_only = schema.get("projection") == "KEYS_ONLY"

    def place(self, item: Item) -> Place | None:
        """Where an item is; None if it lacks a key, as items do that a sparse index leaves out."""
        try:
            keys = [_scalar(item[key]) for key in self.all_keys]
        except KeyError:
            return None
        return (crc32(str(keys[0]).encode()), *keys)

    def set(self, place: Place, item: Item | None) -> None:
        self.pop(place, None)
        if item:
            self[place] = item

    def follow(self, old: Item | None, new: Item | None) -> None:
        """Change an index as its table changes."""
        if old and (before := self.place(old)):
            self.pop(before, None)
        if new and (after := self.place(new)):
            self[after] = {key: new[key] for key in self.all_keys} if self._keys_only else new


class _Table:
    """A table, its replica and its indexes."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.current, self._replica = _View(schema), _View(schema)
        keys, indexes = self.current.all_keys, schema.get("indexes", {})
        self._indexes = {name: _View(index, keys) for name, index in indexes.items()}
        self.behind: dict[Place, None] = {}
        self._limits = {
            key: (schema["attributes"][key], most_bytes)
            for view in (self.current, *self._indexes.values())
            for key, most_bytes in zip(view.own_keys, (HASH_KEY_BYTES, RANGE_KEY_BYTES), strict=False)
        }

    def view(self, index: str | None, *, consistent: bool) -> _View:
        if index and consistent:
            raise _invalid("Consistent reads are not supported on global secondary indexes")
        return self.current if consistent else self._indexes[index] if index else self._replica

    def place(self, view: _View, given: Item) -> Place:
        """The place in a view that is given by its keys and nothing else."""
        self.require_fit(given, _invalid)
        place = view.place(given)
        if place is None or len(given) > len(view.all_keys):
            raise _UnfitError("The provided key element does not match the schema")
        return place

    def partition(self, view: _View, condition: "_Condition", values: Item) -> Any:
        """The value of the hash key that a key condition asks for."""
        [tests, *others] = condition
        signs = {test.operands[0]: test.shape for test in tests}
        fit = KEY_TESTS.issuperset(signs.values()) and signs.get(view.own_keys[0]) == "N = V"
        if others or len(signs) < len(tests) or not signs.keys() <= set(view.own_keys) or not fit:
            raise _invalid("Query key condition not supported")
        asked = {key: values[value] for key, value in (test.operands for test in tests)}
        self.require_fit(asked, _invalid)
        return _scalar(asked[view.own_keys[0]])

    def catch_up(self) -> None:
        for place in self.behind:
            old, new = self._replica.get(place), self.current.get(place)
            self._replica.set(place, new)
            for index in self._indexes.values():
                index.follow(old, new)
        self.behind.clear()

    def require_fit(self, item: Any, refuse: Callable[[str], ClientError]) -> None:
        """Require that an item is not too large, and may have its keys of the table and of indexes."""
        for key, (kind, most_bytes) in self._limits.items():
            if key in item:
                if kind not in item[key]:
                    raise _UnfitError(f"Type mismatch for key {key}, expected: {kind}")
                if not 1 <= len(item[key][kind].encode()) <= most_bytes:
                    raise refuse(f"The key {key} is empty, or longer than {most_bytes} bytes")
        # The sum takes long; what marshal writes is larger, and written at once.
        if len(marshal.dumps(item, 2)) > ITEM_BYTES < _size(item):
            raise refuse("Item size has exceeded the maximum allowed size")


_Write = tuple[_Table, Place, Item | None, Item | None]
"""A place, what is there and what is to be there."""


def _require_distinct(named: Sequence[Hashable], most: int) -> None:
    if not 1 <= len(named) <= most or len(set(named)) < len(named):
        raise _invalid(f"{len(named)} in one request, which takes 1 to {most} and nothing twice")


SIZES: dict[str, Callable[[Any], int]] = {
    "S": lambda text: len(text.encode()),
    "N": lambda digits: 1 + (len(digits.strip("-0")) + 1) // 2 + (digits[0] == "-"),
    "L": lambda held: 3 + len(held) + sum(_size({"": one}) for one in held),
    "M": lambda held: 3 + len(held) + _size(held),
}


def _size(item: Item) -> int:
    """Bytes (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html)."""
    parts = [(name, kind, held) for name, value in item.items() for kind, held in value.items()]
    return sum(len(name.encode()) + SIZES.get(kind, lambda _held: 1)(held) for name, kind, held in parts)


def _scalar(attribute: Item) -> Any:
    return int(attribute["N"]) if "N" in attribute else attribute["S"]


def _compared(compare: Callable[[Any, Any], bool], held: Item | None, value: Item) -> bool:
    return held is not None and held.keys() == value.keys() and compare(_scalar(held), _scalar(value))


def _sum(held: Item | None, value: Item, sign: int = 1) -> Item:
    if held is None or "N" not in held or "N" not in value:
        raise _UnfitError("An operand in the update expression is missing, or is no number")
    return {"N": str(int(held["N"]) + sign * int(value["N"]))}


# N is the name of an attribute, or the placeholder of one, and V the placeholder of one or more values.
TESTS: dict[str, Callable[..., bool]] = {
    "attribute_exists ( N )": lambda held: held is not None,
    "attribute_not_exists ( N )": lambda held: held is None,
    "begins_with ( N , V )": partial(_compared, str.startswith),
    "NOT N IN ( V )": lambda held, *values: held not in values,
    "N = V": operator.eq,
    "N > V": partial(_compared, operator.gt),
    "N >= V": partial(_compared, operator.ge),
}
KEY_TESTS = {"N = V", "N > V", "N >= V", "begins_with ( N , V )"}
UPDATES: dict[str, Callable[..., Item | None]] = {
    "SET N = V": lambda _old, value: value,
    "SET N = if_not_exists ( N , V )": lambda _old, held, value: held or value,
    "SET N = N - V": lambda _old, held, value: _sum(held, value, -1),
    "ADD N V": lambda old, value: _sum(old or {"N": "0"}, value),
    "REMOVE N": lambda _old: None,
}
WORDS = {word for table in (TESTS, UPDATES) for shape in table for word in shape.split()} - {"N", "V"}


class _Clause(NamedTuple):
    """`operands` are names of attributes and placeholders of values."""

    apply: Callable[..., Any]
    operands: Sequence[str]
    shape: str

    def given(self, item: Item, values: Item) -> list[Item | None]:
        return [values[operand] if operand[0] == ":" else item.get(operand) for operand in self.operands]


_Condition = Sequence[Sequence[_Clause]]
"""Alternatives, in each of which every test is to hold."""


def _holds(condition: _Condition, item: Item, values: Item) -> bool:
    return any(all(test.apply(*test.given(item, values)) for test in tests) for tests in condition)


def _updated(old: Item, steps: Sequence[_Clause], values: Item) -> Item:
    changed = {step.operands[0]: step.apply(*step.given(old, values)) for step in steps}
    return {name: attribute for name, attribute in {**old, **changed}.items() if attribute is not None}


def _parsed(request: dict[str, Any], *kinds: str) -> tuple[Any, ...]:
    """The expressions of a request, each None if it has no text, and its values. All else is refused."""
    names, values = [request.pop(f"ExpressionAttribute{part}", None) for part in ("Names", "Values")]
    texts = tuple([(kind, request.pop(kind, None)) for kind in kinds])
    if request:
        raise NotImplementedError(f"the parameters {sorted(request)}")
    if {} in (names, values):
        raise _invalid("Names and values must not be empty")
    return *_parse(tuple((names or {}).items()), tuple(values or ()), texts), values or {}


@cache
def _parse(
    names: Sequence[tuple[str, str]], values: Sequence[str], texts: Sequence[tuple[str, str | None]]
) -> tuple[Any, ...]:
    tokens = {kind: re.findall(r"[#:]?\w+|<>|<=|>=|\S", text) for kind, text in texts if text}
    used = {token for of_text in tokens.values() for token in of_text if token[0] in "#:"}
    if odd := used ^ {*dict(names), *values}:
        raise _invalid(f"Placeholders that are not defined or not used in expressions: {sorted(odd)}")
    parse = {"UpdateExpression": _update, "ProjectionExpression": _projection}.get
    return tuple(
        parse(kind, _condition)(" ".join(tokens[kind]), dict(names)) if text else None for kind, text in texts
    )


def _projection(text: str, names: Mapping[str, str]) -> Sequence[str]:
    return [_clause(part, names, {"N": None}).operands[0] for part in text.split(" , ")]


def _condition(text: str, names: Mapping[str, str]) -> _Condition:
    return [[_clause(test, names, TESTS) for test in part.split(" AND ")] for part in text.split(" OR ")]


def _update(text: str, names: Mapping[str, str]) -> Sequence[_Clause]:
    before, *sections = re.split(r"(?:^| )(SET|REMOVE|ADD) ", text)
    words, parts = sections[::2], sections[1::2]
    if before or words == ["REMOVE"]:
        raise NotImplementedError(f"the update {text}, which begins otherwise or only removes")
    steps = [
        _clause(f"{word} {step}", names, UPDATES)
        for word, part in zip(words, parts, strict=True)
        for step in re.split(r" , (?![^(]*\))", part)
    ]
    _require_distinct(words, len(words))
    _require_distinct([step.operands[0] for step in steps], len(steps))
    return steps


def _clause(text: str, names: Mapping[str, str], known: Mapping[str, Any]) -> _Clause:
    tokens = text.split()
    operands = [token for token in tokens if token not in WORDS]
    marks = [token if token in WORDS else "V" if token[0] == ":" else "N" for token in tokens]
    shape = re.sub(r"V( , V)+", "V", " ".join(marks))
    if shape not in known:
        raise NotImplementedError(f"the expression {text}")
    if reserved := [operand for operand in operands if operand.upper() in RESERVED]:
        raise _invalid(f"Attribute name is a reserved keyword; reserved keyword: {reserved}")
    return _Clause(known[shape], [names.get(operand, operand) for operand in operands], shape)


def _error(code: str, message: str, **more: Any) -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    error: ClientError = EXCEPTIONS.from_code(code)(response | more, "DynamoDB")
    return error


def _invalid(message: str) -> ClientError:
    return _error("ValidationException", message)


class _UnfitError(ClientError):
    """A ValidationException about one item, which in a transaction is that item's cancellation reason
    (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html)."""

    def __init__(self, message: str) -> None:
        super().__init__(_invalid(message).response, "DynamoDB")
