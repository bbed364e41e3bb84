"""Cursors are opaque to clients and harmless to us."""

import base64

import pytest

from nyanko.errors import BadInput
from nyanko.pages import Page, Position, cursor, read_page
from tests.data import MIKE, MIKES_PURCHASE

POSITION = Position(purchase_id=MIKES_PURCHASE, created_at=1_700_000_000)


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


def test_a_cursor_leads_back_to_its_position() -> None:
    given = cursor(POSITION)
    assert given is not None
    assert read_page({"cursor": given, "limit": "5"}) == Page(5, POSITION)


def test_the_last_page_has_no_cursor() -> None:
    assert cursor(None) is None


def test_the_first_page_needs_nothing() -> None:
    assert read_page({}) == Page(20, None)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "ten", "", "１０", "9" * 5000])
def test_a_limit_out_of_bounds_is_refused(limit: str) -> None:
    with pytest.raises(BadInput, match="limit must be"):
        read_page({"limit": limit})


@pytest.mark.parametrize(
    "given",
    [
        "",
        "三毛猫",
        "not base64!",
        encoded("not json"),
        encoded("{}"),
        encoded("[]"),
        encoded("1"),
        encoded(f'["{MIKES_PURCHASE}"]'),
        encoded(f'["{MIKES_PURCHASE}", "1700000000"]'),
        encoded('["", 1700000000]'),
        encoded(f'["{MIKES_PURCHASE}", true]'),
        encoded(f'["{MIKES_PURCHASE}", 1e999]'),
        encoded(f'["{MIKES_PURCHASE}", 99999999999999999999]'),
        encoded(f'["{MIKES_PURCHASE}", 1700000000, "{MIKE.player_id}"]'),
    ],
)
def test_a_cursor_that_is_none_of_ours_is_refused(given: str) -> None:
    with pytest.raises(BadInput, match="cursor"):
        read_page({"cursor": given})
