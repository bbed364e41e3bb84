"""Whatever happens to a purchase, and however its events come in, it ends as the oracle says.

The world here is a dictionary: this is about the domain alone. The same histories run through the shipped
workflow in tests/workflow/test_histories.py.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given, note, settings
from hypothesis import strategies as st

from nyanko.grants import converge
from nyanko.purchases import Purchase, entitled
from nyanko.readings import read, refund_facts
from nyanko.stripe_events import parse
from tests.data import STARTER_PACK
from tests.histories import History, histories
from tests.stripe_events import NOW, Event

EXAMPLES = 500


@dataclass
class World:
    purchase: Purchase
    history: History
    inventory: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STARTER_PACK.items, 0))
    ledger: list[tuple[str, int]] = field(default_factory=list)

    def receive(self, event: Event) -> None:
        reading = read(parse(json.dumps(event).encode()))
        assert reading is not None
        facts = reading.facts
        if reading.charge_refunds:
            for refund in self.history.refunds:
                facts = facts.merge(refund_facts(refund))
        self.purchase = replace(self.purchase, facts=self.purchase.facts.merge(facts))
        grant = converge(self.purchase, NOW)
        self.purchase = grant.after
        for item_id, count in grant.items.items():
            self.inventory[item_id] += count
            self.ledger.append((item_id, count))

    def spend(self, item_id: str, count: int) -> int:
        """How many were spent: the count, or none when there are not enough."""
        if self.inventory[item_id] < count:
            return 0
        self.inventory[item_id] -= count
        self.ledger.append((item_id, -count))
        return count


spends = st.lists(st.tuples(st.sampled_from(sorted(STARTER_PACK.items)), st.integers(1, 12)), max_size=4)


@settings(max_examples=EXAMPLES, deadline=None)
@given(histories(), st.data())
def test_any_order_with_any_repetition_and_spends_between_ends_as_the_oracle_says(
    history: History, data: st.DataObject
) -> None:
    note(history.story)
    repeated = data.draw(st.lists(st.sampled_from(history.events), max_size=4)) if history.events else []
    deliveries: list[Any] = [*history.events, *repeated, *data.draw(spends)]
    world = World(history.purchase, history)
    spent = dict.fromkeys(STARTER_PACK.items, 0)
    for one in data.draw(st.permutations(deliveries)):
        if isinstance(one, tuple):
            spent[one[0]] += world.spend(*one)
        else:
            world.receive(one)
        assert world.inventory == sums(world.ledger)
    assert entitled(world.purchase) == world.purchase.granted == history.packs
    assert world.inventory == {
        item_id: count * history.packs - spent[item_id] for item_id, count in STARTER_PACK.items.items()
    }


def sums(ledger: list[tuple[str, int]]) -> dict[str, int]:
    totals = dict.fromkeys(STARTER_PACK.items, 0)
    for item_id, delta in ledger:
        totals[item_id] += delta
    return totals


@settings(max_examples=EXAMPLES, deadline=None)
@given(histories())
def test_what_is_not_paid_is_never_granted_at_any_moment(history: History) -> None:
    note(history.story)
    world = World(history.purchase, history)
    for event in history.events:
        world.receive(event)
        assert world.purchase.granted == 0 or world.purchase.facts.paid == history.purchase.amount
