"""The workflow as a drawing, and the way that an execution went through it."""

import json
from itertools import combinations
from typing import Any

import pytest

from ops.console.graph import HEIGHT, WIDTH, Graph, draw
from tests import template

PAYMENT: dict[str, Any] = template.definition("PaymentStateMachine")
MAIN = ["VerifyEvent", "ClaimEvent", "RecordPayment", "GrantItems", "NotifyPlayer"]


def marks(graph: Graph, mark: str) -> set[str]:
    return {node.name for node in graph.nodes if node.mark == mark}


def test_every_state_and_every_transition_is_drawn() -> None:
    graph = draw(PAYMENT, [], None)
    assert {node.name for node in graph.nodes} == set(PAYMENT["States"])
    drawn = {(edge.source, edge.target) for edge in graph.edges}
    assert ("VerifyEvent", "ClaimEvent") in drawn
    assert ("VerifyEvent", "IgnoreEvent") in drawn
    assert ("GrantItems", "ParkEvent") in drawn
    assert {edge.caught for edge in graph.edges if edge.target == "ParkEvent"} == {True}


def test_the_way_without_errors_is_straight_whatever_the_order_of_the_states() -> None:
    """CloudFormation sorts them by name."""
    in_order = json.loads(json.dumps(PAYMENT, sort_keys=True))
    for definition in (PAYMENT, in_order):
        places = {node.name: node for node in draw(definition, [], None).nodes}
        assert len({places[name].x for name in MAIN}) == 1
        rows = [places[name].y for name in MAIN]
        assert rows == sorted(set(rows))


def test_no_two_states_overlap_and_all_are_on_the_drawing() -> None:
    graph = draw(PAYMENT, [], None)
    for one, other in combinations(graph.nodes, 2):
        assert abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT
    assert all(0 <= node.x <= graph.width - WIDTH for node in graph.nodes)
    assert all(0 <= node.y <= graph.height - HEIGHT for node in graph.nodes)


@pytest.mark.parametrize(
    ("path", "status", "failed"),
    [
        ([*MAIN], "SUCCEEDED", set()),
        ([*MAIN, "NotNotified"], "SUCCEEDED", set()),
        ([*MAIN[:4], "ParkEvent", "Parked"], "FAILED", {"GrantItems"}),
        (["VerifyEvent", "ParkEvent", "DeadLetter", "Parked"], "FAILED", {"VerifyEvent"}),
        (["VerifyEvent", "IgnoreEvent", "ParkEvent", "Parked"], "FAILED", {"IgnoreEvent"}),
        ([*MAIN[:3]], "ABORTED", {"RecordPayment"}),
        ([*MAIN[:3]], "TIMED_OUT", {"RecordPayment"}),
        ([*MAIN[:3]], "RUNNING", set()),
        ([], "ABORTED", set()),
    ],
)
def test_the_state_that_failed_is_the_one_whose_error_was_caught(
    path: list[str], status: str, failed: set[str]
) -> None:
    graph = draw(PAYMENT, path, status)
    assert marks(graph, "failed") == failed
    assert marks(graph, "passed") == set(path) - failed


def test_the_way_that_was_taken_is_marked() -> None:
    graph = draw(PAYMENT, ["VerifyEvent", "IgnoreEvent"], "SUCCEEDED")
    assert {(edge.source, edge.target) for edge in graph.edges if edge.passed} == {
        ("VerifyEvent", "IgnoreEvent"),
    }


def test_a_machine_that_goes_in_circles_is_drawn_too() -> None:
    circle = {
        "StartAt": "Wait",
        "States": {
            "Wait": {"Type": "Wait", "Next": "Look"},
            "Look": {"Type": "Choice", "Choices": [{"Next": "Done"}], "Default": "Wait"},
            "Done": {"Type": "Succeed"},
        },
    }
    assert {node.name for node in draw(circle, [], None).nodes} == {"Wait", "Look", "Done"}
