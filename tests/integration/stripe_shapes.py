"""Compares JSON with the annotations of the installed `stripe` SDK, which come from Stripe's OpenAPI.

The annotations are read from the source, since most nested types exist only for type checkers.
"""

import ast
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import stripe

RESOURCES: Mapping[str, type] = {
    "balance_transaction": stripe.BalanceTransaction,
    "charge": stripe.Charge,
    "checkout.session": stripe.checkout.Session,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "item": stripe.LineItem,
    "payment_intent": stripe.PaymentIntent,
    "payment_method": stripe.PaymentMethod,
    "price": stripe.Price,
    "product": stripe.Product,
    "refund": stripe.Refund,
    "webhook_endpoint": stripe.WebhookEndpoint,
}
SCALARS: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "Decimal": (str,),
}


def faults(value: Mapping[str, Any]) -> list[str]:
    """What in a Stripe object is missing, unknown, or of another type than the SDK expects."""
    return list(_object_faults(value, value["object"]))


def _object_faults(value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict) or value.get("object") not in RESOURCES:
        yield f"{path}: {value!r} is no Stripe object"
        return
    yield from _class_faults(value, (_class_of(value["object"]),), path)


@cache
def _class_of(noun: str) -> ast.ClassDef:
    resource = RESOURCES[noun]
    source = inspect.getsourcefile(resource)
    assert source is not None
    return _nested(ast.parse(Path(source).read_text()).body, resource.__name__)


def _nested(body: list[ast.stmt], name: str) -> ast.ClassDef:
    return next(node for node in body if isinstance(node, ast.ClassDef) and node.name == name)


def _class_faults(value: Any, scopes: tuple[ast.ClassDef, ...], path: str) -> Iterator[str]:
    """`scopes` are the class and those around it, the innermost first."""
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is not an object"
        return
    annotations = {
        node.target.id: node.annotation
        for node in scopes[0].body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        if not ast.unparse(node.annotation).startswith("ClassVar")
    }
    for name, annotation in annotations.items():
        if name in value:
            yield from _faults(value[name], annotation, scopes, f"{path}.{name}")
        elif not ast.unparse(annotation).startswith("Optional["):
            yield f"{path}.{name} is missing"
    yield from (f"{path}.{name} is unknown" for name in value.keys() - annotations.keys())


def _faults(value: Any, annotation: ast.expr, scopes: tuple[ast.ClassDef, ...], path: str) -> Iterator[str]:
    match annotation:
        case ast.Subscript(ast.Name("Optional"), inner):
            if value is not None:
                yield from _faults(value, inner, scopes, path)
        case ast.Subscript(ast.Name("Union"), ast.Tuple(alternatives)):
            found = [list(_faults(value, alternative, scopes, path)) for alternative in alternatives]
            if all(found):
                yield from found[0]
        case ast.Subscript(ast.Name("Literal"), choices):
            allowed = ast.literal_eval(choices)
            if value not in (allowed if isinstance(allowed, tuple) else (allowed,)):
                yield f"{path}: {value!r} is none of the allowed values"
        case ast.Subscript(ast.Name("List"), inner):
            if not isinstance(value, list):
                yield f"{path}: {value!r} is not a list"
                return
            for position, item in enumerate(value):
                yield from _faults(item, inner, scopes, f"{path}[{position}]")
        case ast.Subscript(ast.Name("UntypedStripeObject"), _):
            if not isinstance(value, dict):
                yield f"{path}: {value!r} is not an object"
        case ast.Subscript(ast.Name("ExpandableField"), inner):
            if not isinstance(value, str):
                yield from _faults(value, inner, scopes, path)
        case ast.Constant(str()):
            yield from _object_faults(value, path)
        case ast.Name(name) if name in SCALARS:
            if not isinstance(value, SCALARS[name]) or (isinstance(value, bool) and name != "bool"):
                yield f"{path}: {value!r} is not of type {name}"
        case ast.Name(name):
            position = next(i for i, scope in enumerate(scopes) if _has_class(scope, name))
            inside = (_nested(scopes[position].body, name), *scopes[position:])
            yield from _class_faults(value, inside, path)
        case _:
            raise NotImplementedError(ast.unparse(annotation))


def _has_class(scope: ast.ClassDef, name: str) -> bool:
    return any(isinstance(node, ast.ClassDef) and node.name == name for node in scope.body)
