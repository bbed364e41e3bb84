"""The names of executions."""

import pytest

from nyanko.executions import event_id_of, name_of, next_execution


@pytest.mark.parametrize(
    ("on_record", "following"),
    [
        ([], "evt_mike-r1"),
        (["evt_mike-r1"], "evt_mike-r2"),
        (["evt_mike-r1", "evt_mike-r3"], "evt_mike-r4"),
        (["evt_mike-r1", "evt_mike-r1#1700000000", "evt_mike#1700000000"], "evt_mike-r2"),
    ],
)
def test_the_next_name_is_after_every_replay_on_record_and_a_redrive_is_none(
    on_record: list[str], following: str
) -> None:
    assert next_execution("evt_mike", lambda _: None, on_record).name == following


@pytest.mark.parametrize("of", ["", "arn:aws:states:ap-northeast-1:123456789012:execution:stg_payment:"])
def test_an_execution_goes_by_its_name_or_its_arn(of: str) -> None:
    assert name_of(f"{of}evt_mike-r2") == "evt_mike-r2"
    assert event_id_of(f"{of}evt_mike-r2") == event_id_of(f"{of}evt_mike") == "evt_mike"
