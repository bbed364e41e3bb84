"""DynamoDB in memory, as the adapters and the workflow call it: tables, indexes, expressions, transactions.

Its answers and errors are compared with ministack's in tests/integration/test_walk_dynamodb.py, and with
AWS's documents where ministack allows more than they do. A read that is not consistent sees a replica, which
lags for as long as a test wants it to.

What no adapter uses raises `NotImplementedError`. These are left out: pages of 1 MB, batches that leave
something unprocessed, the 4 MB of a transaction, the 32 levels of nesting, expiry, and `ResponseMetadata` in
answers that are no errors.
"""
# ruff: noqa: N803 -- the parameters are boto3's

import operator
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import cache, lru_cache, partial
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, NamedTuple
from zlib import crc32

from botocore.errorfactory import ClientExceptionsFactory
from botocore.exceptions import ClientError, ParamValidationError
from botocore.session import get_session
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from nyanko.adapters.dynamodb import from_item

Item = Mapping[str, Any]
"""Attribute name to `{"S": …}` and so on. Items share their attributes with whoever gave or got them: a
change makes a new item of old and new attributes, and an attribute never changes."""

Place = tuple[Any, ...]
"""Where an item is: a checksum that scatters the partitions, as a scan finds them, and the item's keys."""

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
HASH_KEY_BYTES, RANGE_KEY_BYTES, ITEM_BYTES, NUMBER_DIGITS = 2048, 1024, 400 * 1024, 38
READ_AT_ONCE, WRITTEN_AT_ONCE, TRANSACTED_AT_ONCE = 100, 25, 100

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
RESERVED = frozenset(ReservedKeywords.get_reserved_keywords())


class DynamoDB:
    """A client of tables that are empty at first, and the tables themselves.

    `schemas` are those of terraform/modules/data/tables.json by noun; `name_of` gives a noun's table its
    name. While it is `lagging`, replicas and indexes stay as they are until `catch_up`; otherwise they follow
    every write at once. `version` counts the writes.
    """

    def __init__(self, schemas: Mapping[str, Any], name_of: Callable[[str], str]) -> None:
        self.exceptions = _exceptions()
        self.lagging = False
        self.version = 0
        self._name_of = name_of
        self._tables = {name_of(noun): _Table(schema) for noun, schema in schemas.items()}

    def rows(self, noun: str) -> list[dict[str, Any]]:
        """Every row that a table has at this moment, as Python's values, in no particular order."""
        return [from_item(item) for _, item in self._table(self._name_of(noun)).current.entries(None)]

    def catch_up(self, table_name: str | None = None) -> None:
        """Bring the replica and the indexes of a table, or of all tables, up to date."""
        for table in [self._table(table_name)] if table_name else self._tables.values():
            table.catch_up()

    def get_item(
        self, *, TableName: str, Key: Item, ConsistentRead: bool = False, **more: Any
    ) -> dict[str, Any]:
        table = self._table(TableName)
        names, _ = _parsed(more, "ProjectionExpression")
        item = table.view(None, consistent=ConsistentRead).get(table.place(table.keys, Key))
        if item is None:
            return {}
        return {"Item": {name: item[name] for name in names if name in item} if names else dict(item)}

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:
        asked = [
            (self._table(name), key) for name, request in RequestItems.items() for key in request["Keys"]
        ]
        _require_count(asked, READ_AT_ONCE)
        _require_distinct([(table, table.place(table.keys, key)) for table, key in asked])
        found = {name: self._get_many(name, **request) for name, request in RequestItems.items()}
        return {"Responses": found, "UnprocessedKeys": {}}

    def _get_many(self, name: str, /, Keys: Sequence[Item], **options: Any) -> list[Item]:
        # No order is promised, and so this is not that of the keys
        # (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html).
        answers = [self.get_item(TableName=name, Key=key, **options) for key in reversed(Keys)]
        return [answer["Item"] for answer in answers if answer]

    def query(
        self, *, KeyConditionExpression: str, ScanIndexForward: bool = True, **read: Any
    ) -> dict[str, Any]:
        return self._read(KeyConditionExpression, operator.gt if ScanIndexForward else operator.lt, **read)

    def scan(self, **read: Any) -> dict[str, Any]:
        return self._read(None, operator.gt, **read)

    def _read(
        self,
        condition: str | None,
        follows: Callable[[Place, Place], bool],
        /,
        *,
        TableName: str,
        IndexName: str | None = None,
        ConsistentRead: bool = False,
        Limit: int | None = None,
        ExclusiveStartKey: Item | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        if Limit is not None and Limit < 1:
            raise ParamValidationError(report=f"Invalid value for parameter Limit: {Limit}")
        table = self._table(TableName)
        view = table.view(IndexName, consistent=ConsistentRead)
        keep, key, values = _parsed(more, "FilterExpression", KeyConditionExpression=condition)
        partition = key and table.partition(view, key, values)
        if keep and IndexName:
            raise NotImplementedError("a filter on an index")
        if key and keep and any(test.name in view.own_keys for tests in keep for test in tests):
            raise _invalid("Filter Expression can only contain non-primary key attributes")
        found = [entry for entry in view.entries(partition) if key is None or _holds(key, entry[1], values)]
        found.sort(key=operator.itemgetter(0), reverse=follows is operator.lt)
        if ExclusiveStartKey is not None:
            start = table.place(view.keys, ExclusiveStartKey)
            if key and start[1] != partition:
                raise _invalid("The provided starting key is outside query boundaries")
            found = [entry for entry in found if follows(entry[0], start)]
        page = [item for _, item in found[:Limit]]
        items = [dict(item) for item in page if keep is None or _holds(keep, item, values)]
        # A full page has a key even if nothing follows
        # (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html).
        last = {"LastEvaluatedKey": {key: page[-1][key] for key in view.keys}} if len(page) == Limit else {}
        return {"Items": items, "Count": len(items), "ScannedCount": len(page), **last}

    def get_paginator(self, operation: str) -> Any:
        if operation not in {"query", "scan"}:
            raise NotImplementedError(f"pages of {operation}")
        read = getattr(self, operation)

        def paginate(**parameters: Any) -> Iterator[dict[str, Any]]:
            page = read(**parameters)
            yield page
            while "LastEvaluatedKey" in page:
                page = read(**parameters | {"ExclusiveStartKey": page["LastEvaluatedKey"]})
                yield page

        return SimpleNamespace(paginate=paginate)

    def put_item(self, **request: Any) -> dict[str, Any]:
        self._commit_one(self._put(**request))
        return {}

    def update_item(self, **request: Any) -> dict[str, Any]:
        self._commit_one(self._update(**request))
        return {}

    def delete_item(self, *, ReturnValues: str = "NONE", **request: Any) -> dict[str, Any]:
        wanted = _wants_old(ReturnValues)
        old = self._commit_one(self._delete(**request)).old
        return {"Attributes": dict(old)} if wanted and old else {}

    def batch_write_item(self, *, RequestItems: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
        asked = [(name, request) for name, requests in RequestItems.items() for request in requests]
        _require_count(asked, WRITTEN_AT_ONCE)
        writes = [_one_of(request, DeleteRequest=self._delete)(TableName=name) for name, request in asked]
        _require_distinct([write[:2] for write in writes])
        self._commit(writes)
        return {"UnprocessedItems": {}}

    def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        _require_count(TransactItems, TRANSACTED_AT_ONCE)
        writes, reasons = [], []
        for request in TransactItems:
            try:
                writes.append(write := _one_of(request, Put=self._put, Update=self._update)())
                reasons.append(write.refusal or {"Code": "None"})
            except _UnfitError as error:
                reasons.append({"Code": "ValidationError", "Message": error.response["Error"]["Message"]})
        _require_distinct([write[:2] for write in writes])
        codes = [reason["Code"] for reason in reasons]
        if set(codes) != {"None"}:
            message = f"Transaction cancelled, please refer cancellation reasons [{', '.join(codes)}]"
            raise _error("TransactionCanceledException", message, CancellationReasons=reasons)
        self._commit(writes)
        return {}

    def _put(self, *, TableName: str, Item: Item, **more: Any) -> "_Write":
        table = self._table(TableName)
        table.require_keys(Item, too_long=_invalid)
        if _size(Item) > ITEM_BYTES:
            raise _invalid("Item size has exceeded the maximum allowed size")
        if (place := table.current.place(Item)) is None:
            raise _invalid("One or more parameter values were invalid: Missing a key in the item")
        return table.prepare(place, dict(Item), None, **more)

    def _update(self, *, TableName: str, Key: Item, UpdateExpression: str, **more: Any) -> "_Write":
        table = self._table(TableName)
        return table.prepare(table.place(table.keys, Key), Key, UpdateExpression, **more)

    def _delete(self, *, TableName: str, Key: Item, **more: Any) -> "_Write":
        table = self._table(TableName)
        return table.prepare(table.place(table.keys, Key), None, None, **more)

    def _commit_one(self, write: "_Write") -> "_Write":
        if write.refusal:
            more = {"Item": write.refusal["Item"]} if "Item" in write.refusal else {}
            raise _error("ConditionalCheckFailedException", write.refusal["Message"], **more)
        self._commit([write])
        return write

    def _commit(self, writes: Sequence["_Write"]) -> None:
        for table, place, _, new, _ in writes:
            self.version += 1
            table.commit(place, new)
            if not self.lagging:
                table.catch_up()

    def _table(self, name: str) -> "_Table":
        if name not in self._tables:
            raise _error("ResourceNotFoundException", "Requested resource not found")
        return self._tables[name]


class _View:
    """The entries of a table, its replica or an index, by partition.

    `own_keys` are its hash key and its range key, if it has one; in `keys` those of the table follow them.
    """

    def __init__(self, schema: Mapping[str, Any], table_keys: Sequence[str] = ()) -> None:
        self.own_keys = [schema[key] for key in ("hash_key", "range_key") if key in schema]
        self.keys = tuple(dict.fromkeys([*self.own_keys, *table_keys]))
        self._keys_only = {"ALL": False, "KEYS_ONLY": True}[schema.get("projection", "ALL")]
        self._partitions: dict[Any, dict[Place, Item]] = {}

    def place(self, item: Item) -> Place | None:
        """Where an item is; None if it lacks a key, as items do that a sparse index leaves out."""
        try:
            return _place([_scalar(item[key]) for key in self.keys])
        except KeyError:
            return None

    def get(self, place: Place) -> Item | None:
        return self._partitions.get(place[1], {}).get(place)

    def set(self, place: Place, item: Item | None) -> None:
        if item is None:
            self._partitions.get(place[1], {}).pop(place, None)
        else:
            self._partitions.setdefault(place[1], {})[place] = item

    def entries(self, partition: Any) -> list[tuple[Place, Item]]:
        """Those of one partition, or all."""
        partitions = self._partitions.values() if partition is None else [self._partitions.get(partition, {})]
        return [entry for entries in partitions for entry in entries.items()]

    def follow(self, old: Item | None, new: Item | None) -> None:
        """Change an index as its table changes."""
        before, after = old and self.place(old), new and self.place(new)
        if before and before != after:
            self.set(before, None)
        if new and after:
            self.set(after, {key: new[key] for key in self.keys} if self._keys_only else new)


class _Table:
    """A table, its replica and its indexes."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.current = _View(schema)
        self.keys = self.current.keys
        self._replica = _View(schema)
        self._indexes = {index: _View(of, self.keys) for index, of in schema.get("indexes", {}).items()}
        self._behind: dict[Place, None] = {}
        self._key_types: dict[str, tuple[str, int]] = {}
        for view in (self.current, *self._indexes.values()):
            for key, most_bytes in zip(view.own_keys, (HASH_KEY_BYTES, RANGE_KEY_BYTES), strict=False):
                least = min(most_bytes, self._key_types.get(key, ("", most_bytes))[1])
                self._key_types[key] = schema["attributes"][key], least

    def view(self, index: str | None, *, consistent: bool) -> _View:
        if index is None:
            return self.current if consistent else self._replica
        if index not in self._indexes:
            raise _invalid(f"The table does not have the specified index: {index}")
        if consistent:
            raise _invalid("Consistent reads are not supported on global secondary indexes")
        return self._indexes[index]

    def place(self, keys: Sequence[str], given: Item) -> Place:
        if len(given) != len(keys) or any(key not in given for key in keys):
            raise _UnfitError("The provided key element does not match the schema")
        return _place([self._key_value(key, given[key], _invalid) for key in keys])

    def partition(self, view: _View, condition: "_Condition", values: Item) -> Any:
        """The value of the hash key that a key condition asks for."""
        [tests, *others] = condition
        signs = {test.name: test.sign for test in tests if test.expected and test.sign in KEY_SIGNS}
        known = signs.get(view.own_keys[0]) == "=" and signs.keys() <= set(view.own_keys)
        if others or len(signs) < len(tests) or not known:
            raise _invalid("Query key condition not supported")
        asked = {test.name: self._key_value(test.name, values[test.values[0]], _invalid) for test in tests}
        return asked[view.own_keys[0]]

    def require_keys(self, item: Item, too_long: Callable[[str], ClientError]) -> None:
        """Require that what the item has for keys of the table and its indexes may be keys."""
        for key in self._key_types:
            if key in item:
                self._key_value(key, item[key], too_long)

    def prepare(
        self,
        place: Place,
        new: Item | None,
        update: str | None,
        /,
        *,
        ReturnValuesOnConditionCheckFailure: str = "NONE",
        **more: Any,
    ) -> "_Write":
        """Prepare to put `new` in a place, None to delete what is there; an update changes what is there, or
        else `new`."""
        wanted = _wants_old(ReturnValuesOnConditionCheckFailure)
        condition, steps, values = _parsed(more, "ConditionExpression", UpdateExpression=update)
        if steps and not steps.keys().isdisjoint(self.keys):
            raise _invalid("Cannot update an attribute that is part of the key")
        old = self.current.get(place)
        if condition and not _holds(condition, old or {}, values):
            refusal = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
            return _Write(self, place, old, None, refusal | ({"Item": dict(old)} if wanted and old else {}))
        if steps:
            new = _updated(old or new or {}, steps, values)
            self.require_keys(new, too_long=_UnfitError)
            if _size(new) > ITEM_BYTES:
                raise _UnfitError("Item size to update has exceeded the maximum allowed size")
        return _Write(self, place, old, new, None)

    def commit(self, place: Place, new: Item | None) -> None:
        self.current.set(place, new)
        self._behind[place] = None

    def catch_up(self) -> None:
        for place in self._behind:
            old, new = self._replica.get(place), self.current.get(place)
            self._replica.set(place, new)
            for index in self._indexes.values():
                index.follow(old, new)
        self._behind.clear()

    def _key_value(self, key: str, attribute: Item, too_long: Callable[[str], ClientError]) -> Any:
        kind, most_bytes = self._key_types[key]
        if kind not in attribute:
            raise _UnfitError(f"Type mismatch for key {key}, expected: {kind}")
        if kind == "N":
            return _number(attribute["N"])
        text: str = attribute["S"]
        if not text:
            raise _invalid(f"A key attribute cannot contain an empty string value. Key: {key}")
        if len(text.encode()) > most_bytes:
            raise too_long(f"Size of {key} has exceeded the maximum size limit of {most_bytes} bytes")
        return text


class _Write(NamedTuple):
    """`refusal` is the cancellation reason if the condition does not hold, and nothing may be written."""

    table: _Table
    place: Place
    old: Item | None
    new: Item | None
    refusal: dict[str, Any] | None


def _place(keys: Sequence[Any]) -> Place:
    return (_checksum(keys[0]), *keys)


@lru_cache(2**16)
def _checksum(key: Any) -> int:
    return crc32(str(key).encode())


def _one_of(request: Mapping[str, Any], **kinds: Callable[..., _Write]) -> Callable[..., _Write]:
    [(kind, parameters)] = request.items()
    if kind not in kinds:
        raise NotImplementedError(f"{kind} in a batch or transaction")
    return partial(kinds[kind], **parameters)


def _wants_old(wanted: str) -> bool:
    if wanted not in {"ALL_OLD", "NONE"}:
        raise NotImplementedError(f"return {wanted}")
    return wanted == "ALL_OLD"


def _require_count(asked: Sequence[object], most: int) -> None:
    if not 1 <= len(asked) <= most:
        raise _invalid(f"{len(asked)} in one request, which takes 1 to {most}")


def _require_distinct(named: Sequence[Hashable]) -> None:
    if len(set(named)) < len(named):
        raise _invalid("One request names the same thing more than once")


def _scalar(attribute: Item) -> Any:
    return int(attribute["N"]) if "N" in attribute else attribute["S"]


@lru_cache(2**16)
def _number(text: Any) -> int:
    if not isinstance(text, str):
        raise ParamValidationError(report=f"Invalid type for a number, which is a string: {text!r}")
    if not text.removeprefix("-").isdecimal() or str(int(text)) != text or len(text) > NUMBER_DIGITS:
        raise NotImplementedError(f"the number {text}")
    return int(text)


def _size(item: Item) -> int:
    """The size of an item in bytes; raises for a value that no item may have here
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html)."""
    return len("".join(item).encode()) + sum(map(_value_size, item.values()))


def _value_size(attribute: Item) -> int:
    if len(attribute) != 1:
        raise _invalid("An attribute value must contain exactly one of the supported datatypes")
    [(kind, held)] = attribute.items()
    match kind:
        case "S":
            return len(held.encode())
        case "N":
            _number(held)
            return 1 + (len(held.strip("-0")) + 1) // 2 + int(held[0] == "-")
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + len(held) + sum(map(_value_size, held))
        case "M":
            return 3 + len(held) + _size(held)
    raise NotImplementedError(f"an attribute of type {kind}")


# Expressions, of attributes by their whole names, plain or placeholders, and without brackets


class _Test(NamedTuple):
    """`values` are placeholders; `expected` is False after NOT."""

    name: str
    sign: str
    values: Sequence[str]
    expected: bool


_Condition = Sequence[Sequence[_Test]]
"""Alternatives, in each of which every test is to be as expected."""

_Step = Callable[[Item, Item], Any]
"""What becomes of an attribute by the old item and the values; None if it goes."""

_NameOf = Callable[[str], str]
"""An attribute's name by the token that stands for it."""


def _compared(compare: Callable[[Any, Any], bool], kinds: Sequence[str], held: Any, value: Any) -> bool:
    [kind] = value
    if kind not in kinds:
        raise NotImplementedError(f"{compare} of {value}")
    return held is not None and kind in held and compare(_scalar(held), _scalar(value))


RELATIONS: dict[str, Callable[..., bool]] = {
    "attribute_exists": lambda held: held is not None,
    "attribute_not_exists": lambda held: held is None,
    "begins_with": partial(_compared, str.startswith, ["S"]),
    "IN": lambda held, *values: held in values,
    "=": operator.eq,
    "<>": operator.ne,
    "<": partial(_compared, operator.lt, ["S", "N"]),
    "<=": partial(_compared, operator.le, ["S", "N"]),
    ">": partial(_compared, operator.gt, ["S", "N"]),
    ">=": partial(_compared, operator.ge, ["S", "N"]),
}
KEY_SIGNS = {"=", "<", "<=", ">", ">=", "begins_with"}


def _holds(condition: _Condition, item: Item, values: Item) -> bool:
    for tests in condition:
        for name, sign, placeholders, expected in tests:
            if RELATIONS[sign](item.get(name), *[values[value] for value in placeholders]) != expected:
                break
        else:
            return True
    return False


def _updated(old: Item, steps: Mapping[str, _Step], values: Item) -> Item:
    changed = {name: step(old, values) for name, step in steps.items()}
    return {name: attribute for name, attribute in {**old, **changed}.items() if attribute is not None}


def _parsed(request: dict[str, Any], optional: str, **others: str | None) -> tuple[Any, ...]:
    """The expressions of a request, each None if it has no text, and its values. All else is refused."""
    names = request.pop("ExpressionAttributeNames", None)
    values = request.pop("ExpressionAttributeValues", None)
    texts = ((optional, request.pop(optional, None)), *others.items())
    if request:
        raise NotImplementedError(f"the parameters {sorted(request)}")
    if names == {} or values == {} or any(text == "" for _, text in texts):
        raise _invalid("Expressions, their names and their values must not be empty")
    return *_parse(tuple((names or {}).items()), tuple(values or ()), texts), values or {}


@cache
def _parse(
    names: tuple[tuple[str, str], ...], values: tuple[str, ...], texts: tuple[tuple[str, str | None], ...]
) -> tuple[Any, ...]:
    tokens = {kind: re.findall(r"[#:]?\w+|<>|<=|>=|\S", text or "") for kind, text in texts}
    used = {token for of_text in tokens.values() for token in of_text if token[0] in "#:"}
    if odd := used ^ {*dict(names), *values}:
        raise _invalid(f"Placeholders that are not defined or not used in expressions: {sorted(odd)}")
    parse = {"UpdateExpression": _update, "ProjectionExpression": _projection}
    name_of = partial(_name, dict(names))
    return tuple(
        [None if text is None else parse.get(kind, _condition)(tokens[kind], name_of) for kind, text in texts]
    )


def _name(names: Mapping[str, str], token: str) -> str:
    if token.upper() in RESERVED:
        raise _invalid(f"Attribute name is a reserved keyword; reserved keyword: {token}")
    if token not in names and not token.isidentifier():
        raise NotImplementedError(f"{token} in the place of an attribute")
    return names.get(token, token)


def _projection(tokens: Sequence[str], name_of: _NameOf) -> Sequence[str]:
    names = [name_of("".join(part)) for part in _split(tokens, ",")]
    _require_distinct(names)
    return names


def _condition(tokens: Sequence[str], name_of: _NameOf) -> _Condition:
    return [[_test(test, name_of) for test in _split(part, "AND")] for part in _split(tokens, "OR")]


def _test(tokens: Sequence[str], name_of: _NameOf) -> _Test:
    match tokens:
        case ["NOT", *positive]:
            test = _test(positive, name_of)
            return test._replace(expected=not test.expected)
        case [("attribute_exists" | "attribute_not_exists") as sign, "(", name, ")"]:
            return _Test(name_of(name), sign, [], expected=True)
        case ["begins_with" as sign, "(", name, ",", value, ")"]:
            return _Test(name_of(name), sign, [_value(value)], expected=True)
        case [name, "IN" as sign, "(", *listed, ")"]:
            values = [_value("".join(value)) for value in _split(listed, ",")]
            return _Test(name_of(name), sign, values, expected=True)
        case [name, ("=" | "<>" | "<" | "<=" | ">" | ">=") as sign, value]:
            return _Test(name_of(name), sign, [_value(value)], expected=True)
    raise NotImplementedError(f"the condition {' '.join(tokens)}")


def _value(token: str) -> str:
    if not token.startswith(":"):
        raise NotImplementedError(f"{token} in the place of a value")
    return token


def _update(tokens: Sequence[str], name_of: _NameOf) -> Mapping[str, _Step]:
    starts = [at for at, token in enumerate(tokens) if token in {"SET", "REMOVE", "ADD"}]
    sections = [tokens[start:end] for start, end in pairwise([0, *starts[1:], len(tokens)])]
    if {word for word, *_ in sections} <= {"REMOVE"}:
        raise NotImplementedError("an update that only removes, which makes no item if there was none")
    steps = [_step(word, part, name_of) for word, *parts in sections for part in _split(parts, ",")]
    _require_distinct([word for word, *_ in sections])
    _require_distinct([name for name, _ in steps])
    return dict(steps)


def _step(section: str, tokens: Sequence[str], name_of: _NameOf) -> tuple[str, _Step]:
    match [section, *tokens]:
        case ["REMOVE", name]:
            return name_of(name), lambda _old, _values: None
        case ["ADD", name, value]:
            target, added = name_of(name), _value(value)
            return target, lambda old, values: _total(
                operator.add, old.get(target, {"N": "0"}), values[added]
            )
        case ["SET", name, "=", "if_not_exists", "(", held, ",", value, ")"]:
            kept, otherwise = name_of(held), _value(value)
            return name_of(name), lambda old, values: old.get(kept, values[otherwise])
        case ["SET", name, "=", held, ("+" | "-") as sign, value]:
            left, right = name_of(held), _value(value)
            compute = operator.add if sign == "+" else operator.sub
            return name_of(name), lambda old, values: _total(compute, old.get(left), values[right])
        case ["SET", name, "=", value]:
            assigned = _value(value)
            return name_of(name), lambda _old, values: values[assigned]
    raise NotImplementedError(f"the update {section} {' '.join(tokens)}")


def _total(compute: Callable[[int, int], int], left: Item | None, right: Item) -> Item:
    if left is None:
        raise _UnfitError("The provided expression refers to an attribute that does not exist in the item")
    if "N" not in left or "N" not in right:
        raise _UnfitError("An operand in the update expression has an incorrect data type")
    return {"N": str(compute(_number(left["N"]), _number(right["N"])))}


def _split(tokens: Sequence[str], separator: str) -> list[list[str]]:
    """The parts between separators, but for those in brackets."""
    parts: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token == "(") - (token == ")")
        if token == separator and not depth:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


# Errors


@cache
def _exceptions() -> Any:
    """What a client of boto3 has as `exceptions`."""
    return ClientExceptionsFactory().create_client_exceptions(get_session().get_service_model("dynamodb"))


def _response(code: str, message: str, **more: Any) -> Any:
    return {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}, **more}


def _error(code: str, message: str, **more: Any) -> ClientError:
    error: ClientError = _exceptions().from_code(code)(_response(code, message, **more), "DynamoDB")
    return error


def _invalid(message: str) -> ClientError:
    return _error("ValidationException", message)


class _UnfitError(ClientError):
    """A ValidationException about one item, which in a transaction is that item's cancellation reason
    (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html)."""

    def __init__(self, message: str) -> None:
        super().__init__(_response("ValidationException", message), "DynamoDB")
