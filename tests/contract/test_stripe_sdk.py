"""The statuses that our facts tell apart are all that the pinned SDK, and so the API version, knows."""

import ast
import inspect
from types import ModuleType

import pytest
import stripe._dispute
import stripe._refund
from stripe import api_version

from nyanko.facts import ENDED, INQUIRIES, REFUND_ORDER
from nyanko.readings import RELEASED, dispute_facts
from nyanko.stripe_events import API_VERSION

OPEN = {"needs_response", "under_review", "appeal_needs_response", "appeal_under_review"}


def statuses(module: ModuleType, object_name: str) -> set[str]:
    """The strings in the annotation of the object's `status`."""
    [stripe_object] = [
        node
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.ClassDef) and node.name == object_name
    ]
    [annotation] = [
        node.annotation
        for node in stripe_object.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.target.id == "status"
    ]
    return {str(node.value) for node in ast.walk(annotation) if isinstance(node, ast.Constant)}


def test_the_endpoints_version_is_the_sdks() -> None:
    assert api_version == API_VERSION


def test_every_status_of_a_dispute_is_told_apart() -> None:
    assert statuses(stripe._dispute, "Dispute") == OPEN | INQUIRIES | ENDED


@pytest.mark.parametrize("status", sorted(OPEN | INQUIRIES | ENDED))
def test_an_open_or_lost_dispute_has_taken_its_amount_and_no_other_has(status: str) -> None:
    dispute = {"id": "du_mike", "status": status, "amount": 500, "currency": "jpy"}
    [fact] = dispute_facts(dispute, 1).disputes.values()
    assert fact.away_yen == (0 if status in RELEASED else 500)
    assert (status in RELEASED) == (status not in OPEN | {"lost"})


def test_the_statuses_of_a_refund_are_ordered() -> None:
    documented = inspect.getsource(stripe._refund)
    assert all(f"`{status}`" in documented for status in REFUND_ORDER)
    # A plain text in the SDK: should it ever become a list, it is compared with ours above.
    assert statuses(stripe._refund, "Refund") == set()
