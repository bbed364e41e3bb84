"""The restricted key of docs/deploy.md has the rights for every call that is made, and no others.

The calls are read from the source: chains such as `client.v1.checkout.sessions.create`, paths of raw
requests, and what is expanded, for which Stripe wants a right as well
(https://docs.stripe.com/stripe-apps/reference/permissions#object-permissions).
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources import ADAPTERS, FUNCTIONS, OPS, module
from tests.template import ROOT

SOURCES = [*ADAPTERS, *FUNCTIONS, *OPS]
TEST_PURCHASE = ROOT / "ops" / "smoke.py"
READING = {"list", "retrieve", "search"}
WRITING = {"create", "update", "delete", "expire", "cancel", "confirm", "close"}

RESOURCES = {
    "charges": "Charges",
    "checkout.sessions": "Checkout Sessions",
    "disputes": "Disputes",
    "events": "Events",
    "payment_intents": "PaymentIntents",
    "payment_methods": "PaymentMethods",
    "refunds": "Refunds",
    "webhook_endpoints": "Webhook Endpoints",
}
"""The SDK's resources, and what Stripe's Dashboard calls their rights."""

EXPANDED = {
    "charge": "Charges",
    "charges": "Charges",
    "latest_charge": "Charges",
    "payment_intent": "PaymentIntents",
    "refunds": "Refunds",
}
"""Fields whose expansion shows another resource."""

RAW = {"payment_pages": "PaymentIntents"}
"""Resources without a page in Stripe's reference: that of the hosted page confirms its PaymentIntent."""

Right = tuple[str, str]
"""`read` or `write`, and of what; to write includes to read."""


def chain(node: ast.expr) -> list[str]:
    """`a.b.c` as its names."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return names


def chains(tree: ast.AST) -> Iterator[list[str]]:
    """What follows `v1` in every chain that is called, also one that was given a name before."""
    services = {
        target.id: chain(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and "v1" in chain(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names = chain(node.func)
            if "v1" in names:
                yield names[names.index("v1") + 1 :]
            elif isinstance(node.func.value, ast.Name) and node.func.value.id in services:
                named = services[node.func.value.id]
                yield [*named[named.index("v1") + 1 :], node.func.attr]


def calls(tree: ast.AST) -> Iterator[Right]:
    for names in chains(tree):
        if names[-1] in READING | WRITING:
            yield ("read" if names[-1] in READING else "write"), RESOURCES[".".join(names[:-1])]


def texts(tree: ast.AST) -> Iterator[str]:
    return (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def raw_calls(tree: ast.AST) -> Iterator[Right]:
    """Paths that are named in full; all of them change something in the end."""
    for text in texts(tree):
        if found := re.match(r"/v1/(\w+)/", text):
            yield "write", RAW[found[1]]


def expansions(tree: ast.AST) -> Iterator[Right]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "expand":
                    for path in texts(value):
                        fields = set(path.split(".")) - {"data"}
                        yield from (("read", EXPANDED[field]) for field in fields)


def needed(paths: list[Path]) -> set[Right]:
    trees = [ast.parse(path.read_text()) for path in paths]
    found = {right for tree in trees for right in (*calls(tree), *raw_calls(tree), *expansions(tree))}
    return found - {("read", what) for how, what in found if how == "write"}


def documented(stage: str) -> set[Right]:
    text = " ".join((ROOT / "docs" / "deploy.md").read_text().split())
    found = re.search(rf"mode for {stage} \(write: ([^;)]+); read: ([^;)]+)\)", text)
    assert found, f"docs/deploy.md names the rights of the restricted key of {stage}"
    return {
        (how, what.strip())
        for how, listed in zip(("write", "read"), found.groups(), strict=True)
        for what in listed.split(",")
    }


def test_the_key_may_do_what_is_done_and_nothing_else() -> None:
    assert documented("stg") == needed(SOURCES)


def test_the_key_of_prod_does_not_pay() -> None:
    assert documented("prod") == needed([path for path in SOURCES if path != TEST_PURCHASE])


@pytest.mark.parametrize(
    ("source", "right"),
    [
        ("self._api.client.v1.refunds.create({})", ("write", "Refunds")),
        ("refunds = api.client.v1.refunds\nrefunds.create({})", ("write", "Refunds")),
        ("client.v1.disputes.list({}).auto_paging_iter()", ("read", "Disputes")),
        ("client.v1.checkout.sessions.list({'expand': ['data.payment_intent']})", ("read", "PaymentIntents")),
        ("raw(client, 'post', f'/v1/payment_pages/{page}/confirm')", ("write", "PaymentIntents")),
    ],
)
def test_a_call_is_found_however_it_is_written(source: str, right: Right) -> None:
    tree = ast.parse(source)
    assert right in {*calls(tree), *raw_calls(tree), *expansions(tree)}


@pytest.mark.parametrize("path", SOURCES, ids=module)
def test_every_way_to_stripe_is_seen(path: Path) -> None:
    """Whoever names `v1` calls it in a way that is understood here."""
    tree = ast.parse(path.read_text())
    named = sum(isinstance(node, ast.Attribute) and node.attr == "v1" for node in ast.walk(tree))
    services = sum(isinstance(node, ast.Assign) and "v1" in chain(node.value) for node in ast.walk(tree))
    direct = sum(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and "v1" in chain(node.func)
        and chain(node.func)[-1] in READING | WRITING
        for node in ast.walk(tree)
    )
    assert named == services + direct
