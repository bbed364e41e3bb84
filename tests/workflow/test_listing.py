"""The list of a player's purchases, of which the index has the keys alone."""

from nyanko.composition.function import adapters
from nyanko.pages import Page
from tests.data import KUROS_PURCHASE, MIKE, MIKES_PURCHASE, TAMAS_PURCHASE
from tests.workflow.engine import Workflow


def test_a_player_lists_purchases_as_they_are_the_newest_first(workflow: Workflow) -> None:
    for purchase_id in (TAMAS_PURCHASE, KUROS_PURCHASE, MIKES_PURCHASE):
        workflow.sell(purchase_id)
        workflow.now += 1
    sold = workflow.purchase(KUROS_PURCHASE)
    adapters().purchases.attach_session(sold, "cs_kuro", "https://checkout.stripe.test/cs_kuro")
    first, after = adapters().purchases.of_player(MIKE.player_id, Page(2))
    assert [(one.purchase_id, one.session_id) for one in first] == [
        (MIKES_PURCHASE, None),
        (KUROS_PURCHASE, "cs_kuro"),
    ]
    last, end = adapters().purchases.of_player(MIKE.player_id, Page(2, after))
    assert ([one.purchase_id for one in last], end) == ([TAMAS_PURCHASE], None)
