"""What a purchase takes of AWS: no more than planned, and as much as the first one however many there are."""

from dataclasses import replace

import pytest

from bench.cost import ALTERNATIVES, Budget, bill
from bench.counts import (
    ABSENT,
    KINDS,
    PLAYER,
    of_another_application,
    purchase,
    purchase_of_the_absent,
    seed,
    warm,
)
from bench.recording import Counts
from tests.workflow.engine import Workflow


@pytest.fixture
def warm_workflow(workflow: Workflow) -> Workflow:
    warm(workflow)
    return workflow


def test_a_purchase_stays_within_its_budget(warm_workflow: Workflow) -> None:
    excess = Budget.read().excess(purchase(warm_workflow))
    assert excess is None, excess


def test_one_more_state_or_call_is_over_the_budget(warm_workflow: Workflow) -> None:
    counts, budget = purchase(warm_workflow), Budget.read()
    one_more_state = replace(counts, transitions=budget.most["transitions"] + 1)
    assert "transitions" in (budget.excess(one_more_state) or "")
    counts.calls["grant_items", "dynamodb GetItem"] += budget.most["calls"]
    assert "calls" in (budget.excess(counts) or "")


def test_what_became_dearer_is_named(warm_workflow: Workflow) -> None:
    counts = purchase(warm_workflow)
    planned = {service: 1000 * dollars for service, dollars in bill(counts).items()}
    budget = replace(Budget.read(), services=planned)
    counts.write_units["events"] += 20
    counts.workflow_log_bytes -= 1_000
    excess = budget.excess(counts) or ""
    assert "Dearer than planned: DynamoDB +" in excess
    assert "CloudWatch" not in excess


def test_after_the_queue_a_purchase_makes_seven_calls(warm_workflow: Workflow) -> None:
    calls = purchase_of_the_absent(warm_workflow).after_the_queue
    assert calls <= 7


def test_a_duplicate_starts_no_state_and_writes_nothing(warm_workflow: Workflow) -> None:
    counts = KINDS["duplicate"](warm_workflow)
    assert (counts.transitions, counts.write_units.total()) == (0, 0)


def test_an_uninteresting_type_ends_in_the_webhook(warm_workflow: Workflow) -> None:
    counts = KINDS["uninteresting type"](warm_workflow)
    assert (counts.calls.total(), list(counts.invocations)) == (0, ["stripe_webhook"])


def test_of_another_applications_event_only_its_row_is_written(warm_workflow: Workflow) -> None:
    counts = of_another_application(warm_workflow)
    assert set(counts.write_units) == {"events"}


def test_a_purchase_takes_as_much_however_many_there_are(warm_workflow: Workflow) -> None:
    first = purchase(warm_workflow, 1)
    seed(10, PLAYER, 1_000)
    seed(10, ABSENT, 2_000)
    after_ten = purchase(warm_workflow, 2)
    seed(500, PLAYER, 10_000)
    seed(500, ABSENT, 20_000)
    after_a_thousand = purchase(warm_workflow, 3)
    assert _asked(first) == _asked(after_ten) == _asked(after_a_thousand)
    assert after_a_thousand.scans == 0


def _asked(counts: Counts) -> tuple[object, ...]:
    return counts.calls, counts.write_units, counts.read_halves, counts.transitions


def test_a_dearer_event_costs_more(warm_workflow: Workflow) -> None:
    costs = {kind: sum(bill(run(warm_workflow)).values()) for kind, run in KINDS.items()}
    assert (
        costs["uninteresting type"]
        < costs["duplicate"]
        < costs["another application's"]
        < costs["purchase, player away"]
        < costs["purchase"]
    )


def test_no_other_way_is_dearer_or_leaves_the_tables_out(warm_workflow: Workflow) -> None:
    counts = purchase(warm_workflow)
    here = bill(counts)
    others = {other.name: other.bill(counts) for other in ALTERNATIVES}
    assert len(others) == 4
    for name, there in others.items():
        assert sum(there.values()) < sum(here.values()), name
        assert there["DynamoDB"] == here["DynamoDB"], name


def test_a_retry_is_one_more_transition(warm_workflow: Workflow) -> None:
    undisturbed = purchase(warm_workflow, 1).transitions
    warm_workflow.fail_after_effect("RecordPayment")
    assert purchase(warm_workflow, 2).transitions == undisturbed + 1
