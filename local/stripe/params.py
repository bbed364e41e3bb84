"""Parameters of API calls: bracket notation into nested values, then checked against what a call accepts.

`a[b]=1` is a hash, `a[0]=1` and `a[]=1` are arrays (https://docs.stripe.com/api/expanding_objects shows the
latter). A parser takes the raw value and the parameter's name, and returns the value or raises `ApiError`
with the code that https://docs.stripe.com/error-codes gives for the fault.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeAlias

from local.stripe.errors import ApiError

Raw: TypeAlias = "str | dict[str, Raw]"
Parser: TypeAlias = Callable[[Raw, str], Any]
Params: TypeAlias = dict[str, Any]

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_BRACKET = re.compile(r"\[([^\[\]]*)\]")


def nest(pairs: Iterable[tuple[str, str]]) -> dict[str, Raw]:
    """Nest names in bracket notation; an array stays a hash whose keys are its indices."""
    root: dict[str, Raw] = {}
    for name, value in pairs:
        found = _NAME.fullmatch(name)
        if found is None:
            raise ApiError(f"Invalid parameter name: {name}", code="parameter_unknown", param=name)
        *parents, last = [found[1], *_BRACKET.findall(found[2])]
        node = root
        for parent in parents:
            child = node.setdefault(parent or str(len(node)), {})
            if isinstance(child, str):
                raise ApiError(f"Invalid parameter: {name} is both a value and a hash", param=name)
            node = child
        node[last or str(len(node))] = value
    return root


def text(raw: Raw, name: str) -> str:
    if not isinstance(raw, str):
        raise ApiError(f"Invalid string: {name}", param=name)
    if not raw:
        raise ApiError(
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a "
            f"parameter; however '{name}' cannot be unset.",
            code="parameter_invalid_empty",
            param=name,
        )
    return raw


def text_up_to(length: int) -> Parser:
    def parse(raw: Raw, name: str) -> str:
        value = text(raw, name)
        if len(value) > length:
            raise ApiError(
                f"Invalid string: {name} must be at most {length} characters",
                code="parameter_invalid_string_too_long",
                param=name,
            )
        return value

    return parse


def url(raw: Raw, name: str) -> str:
    value = text(raw, name)
    if not re.match(r"https?://[^/\s]+", value):
        raise ApiError(
            "Not a valid URL; it must include an explicit scheme (such as https)",
            code="url_invalid",
            param=name,
        )
    return value


def integer(raw: Raw, name: str) -> int:
    if not (isinstance(raw, str) and re.fullmatch(r"-?[0-9]{1,15}", raw)):
        raise ApiError(f"Invalid integer: {raw}", code="parameter_invalid_integer", param=name)
    return int(raw)


def between(least: int, most: int) -> Parser:
    def parse(raw: Raw, name: str) -> int:
        value = integer(raw, name)
        if not least <= value <= most:
            raise ApiError(
                f"Invalid integer: {name} must be between {least} and {most}",
                code="parameter_invalid_integer",
                param=name,
            )
        return value

    return parse


def decimal(least: float, most: float) -> Parser:
    def parse(raw: Raw, name: str) -> float:
        if not (isinstance(raw, str) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", raw, re.ASCII)):
            raise ApiError(f"Invalid decimal: {raw}", param=name)
        if not least <= float(raw) <= most:
            raise ApiError(f"Invalid decimal: {name} must be between {least} and {most}", param=name)
        return float(raw)

    return parse


def boolean(raw: Raw, name: str) -> bool:
    if raw not in ("true", "false"):
        raise ApiError(f"Invalid boolean: {raw}", param=name)
    return raw == "true"


def choice(*values: str) -> Parser:
    def parse(raw: Raw, name: str) -> str:
        if raw not in values:
            raise ApiError(f"Invalid {name}: must be one of {', '.join(values)}", param=name)
        return raw

    return parse


def array(parser: Parser, most: int = 100) -> Parser:
    def parse(raw: Raw, name: str) -> list[Any]:
        if not isinstance(raw, dict) or not all(key.isdecimal() for key in raw):
            raise ApiError(f"Invalid array: {name}", param=name)
        if len(raw) > most:
            raise ApiError(f"Array {name} exceeded maximum {most} allowed elements.", param=name)
        return [parser(raw[key], f"{name}[{key}]") for key in sorted(raw, key=int)]

    return parse


def fields(parsers: Mapping[str, Parser], required: Collection[str] = ()) -> Parser:
    """A hash of known parameters; the name of the outermost is empty."""

    def parse(raw: Raw, name: str) -> Params:
        if not isinstance(raw, dict):
            raise ApiError(f"Invalid object: {name}", param=name)

        def full(key: str) -> str:
            return f"{name}[{key}]" if name else key

        for key in raw:
            if key not in parsers:
                raise ApiError(
                    f"Received unknown parameter: {full(key)}", code="parameter_unknown", param=full(key)
                )
        for key in required:
            if key not in raw:
                raise ApiError(
                    f"Missing required param: {full(key)}.", code="parameter_missing", param=full(key)
                )
        return {key: parsers[key](value, full(key)) for key, value in raw.items()}

    return parse


def metadata(raw: Raw, name: str) -> dict[str, str]:
    """Up to 50 keys of 40 characters with values of 500 (https://docs.stripe.com/metadata); "" empties it."""
    if raw == "":
        return {}
    if not isinstance(raw, dict):
        raise ApiError(f"Invalid object: {name}", param=name)
    for key, value in raw.items():
        too_long = len(key) > 40 or (isinstance(value, str) and len(value) > 500)
        if not isinstance(value, str) or too_long or len(raw) > 50:
            raise ApiError(
                "Metadata takes at most 50 keys of 40 characters with string values of 500 characters",
                code="parameter_invalid_string_too_long" if too_long else None,
                param=f"{name}[{key}]",
            )
    return {key: value for key, value in raw.items() if isinstance(value, str)}


CREATED: Parser = fields({"gt": integer, "gte": integer, "lt": integer, "lte": integer})


def created(raw: Raw, name: str) -> Params:
    """A time in epoch seconds, or its bounds: {"gte": ..., "lt": ...}."""
    if isinstance(raw, str):
        value = integer(raw, name)
        return {"gte": value, "lte": value}
    bounds: Params = CREATED(raw, name)
    return bounds


PAGE: Mapping[str, Parser] = {
    "limit": between(1, 100),
    "starting_after": text,
    "ending_before": text,
    "expand": array(text, most=20),
}
"""What every list call accepts (https://docs.stripe.com/api/pagination)."""
