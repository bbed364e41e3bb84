"""Notices, and the frames that a game is sent."""

import json
from dataclasses import replace

import pytest

from nyanko.errors import BadInput, Retryable
from nyanko.frames import MAX_FRAME_BYTES, error_frame, frame
from nyanko.notices import NOTICE_ID, Notice, new_notice, notice_content, notice_frame
from nyanko.views import inventory_view, purchase_view
from tests.data import MIKE, MIKES_PURCHASE, THREE_PACKS

NOTICE = Notice(
    notice_id=f"1700000000.{MIKES_PURCHASE}.2",
    player_id=MIKE.player_id,
    created_at=1_700_000_000,
    content={
        "type": "purchase.updated",
        "purchase_id": MIKES_PURCHASE,
        "status": "granted",
        "items": {"cat_food": 30},
    },
)


def test_a_version_of_a_purchase_has_one_notice() -> None:
    content = notice_content(THREE_PACKS, {"cat_food": 30})
    first, again = (new_notice(THREE_PACKS, content, now) for now in (1_700_000_060, 1_700_000_120))
    assert first.notice_id == again.notice_id
    assert NOTICE_ID.fullmatch(first.notice_id)
    later = replace(THREE_PACKS, version=THREE_PACKS.version + 1, updated_at=THREE_PACKS.updated_at + 1)
    assert new_notice(later, content, 1_700_000_060).notice_id > first.notice_id


def test_a_frame_is_one_line_of_json_that_keeps_japanese_as_it_is() -> None:
    assert frame(type="pong", name="三毛猫") == '{"type":"pong","name":"三毛猫"}'


def test_a_notice_comes_with_its_purchase_and_the_inventory_as_they_are_now() -> None:
    inventory = {"cat_food": 30, "toy_mouse": -1}
    told = json.loads(notice_frame(NOTICE, THREE_PACKS, inventory))
    assert told == {
        "type": "purchase.updated",
        "notice_id": f"1700000000.{MIKES_PURCHASE}.2",
        "created_at": 1_700_000_000,
        "purchase_id": MIKES_PURCHASE,
        "status": "granted",
        "items": {"cat_food": 30},
        "purchase": purchase_view(THREE_PACKS),
        "inventory": inventory_view(inventory),
    }


def test_an_inventory_that_fits_is_sent_and_one_that_does_not_is_left_to_be_asked_for() -> None:
    fits = {f"item_{number:03}": 1_000_000 for number in range(500)}
    whole = notice_frame(NOTICE, THREE_PACKS, fits)
    assert MAX_FRAME_BYTES * 0.75 < len(whole.encode()) <= MAX_FRAME_BYTES
    assert len(json.loads(whole)["inventory"]["items"]) == 500
    without = notice_frame(NOTICE, THREE_PACKS, {**fits, **{f"more_{number}": 1 for number in range(200)}})
    assert len(without.encode()) < MAX_FRAME_BYTES
    assert json.loads(without) == {**json.loads(whole), "inventory": None}


def test_the_limit_counts_bytes_and_not_letters() -> None:
    items = {f"item_{number:03}": 1_000_000 for number in range(620)}
    room = MAX_FRAME_BYTES - len(notice_frame(NOTICE, THREE_PACKS, items).encode())
    fits, does_not = (
        replace(THREE_PACKS, product=replace(THREE_PACKS.product, name="猫" * letters))
        for letters in (room // 3, room // 2)
    )
    assert json.loads(notice_frame(NOTICE, fits, items))["inventory"] is not None
    assert json.loads(notice_frame(NOTICE, does_not, items))["inventory"] is None


@pytest.mark.parametrize("error", [BadInput("NotFound", "no"), Retryable("ServiceUnavailable", "no")])
def test_an_error_has_the_shape_that_it_has_over_http(error: BadInput | Retryable) -> None:
    assert json.loads(error_frame(error)) == {
        "type": "error",
        "error": {"code": error.code, "message": "no"},
    }
