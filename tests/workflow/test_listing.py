"""The list of a player's purchases, of which the index has the keys alone."""

from nyanko import wiring
from nyanko.pages import Page
from tests.workflow.engine import Workflow


def test_a_player_lists_purchases_as_they_are_the_newest_first(workflow: Workflow) -> None:
    for purchase_id in ("pur_tama", "pur_kuro", "pur_mike"):
        workflow.sell(purchase_id)
        workflow.now += 1
    sold = workflow.purchase("pur_kuro")
    wiring.purchases().attach_session(sold, "cs_kuro", "https://checkout.stripe.test/cs_kuro")
    first, after = wiring.purchases().of_player("02mike", Page(2))
    assert [(one.purchase_id, one.session_id) for one in first] == [
        ("pur_mike", None),
        ("pur_kuro", "cs_kuro"),
    ]
    last, end = wiring.purchases().of_player("02mike", Page(2, after))
    assert ([one.purchase_id for one in last], end) == (["pur_tama"], None)
