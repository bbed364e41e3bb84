"""What the queue and the workflow carry."""

import json

from nyanko.deliveries import MAX_BYTES, new_delivery

LARGEST = MAX_BYTES - len(json.dumps(new_delivery("evt_mike", 1_700_000_000, "", "t=1")))


def test_an_event_travels_with_its_body_and_signature() -> None:
    assert new_delivery("evt_mike", 1_700_000_000, "{}", "t=1") == {
        "event_id": "evt_mike",
        "received_at": 1_700_000_000,
        "body": "{}",
        "signature": "t=1",
    }


def test_a_body_too_large_for_step_functions_is_left_to_be_fetched_by_id() -> None:
    assert new_delivery("evt_mike", 1_700_000_000, "m" * LARGEST, "t=1")["body"]
    by_id = new_delivery("evt_mike", 1_700_000_000, "m" * (LARGEST + 1), "t=1")
    assert (by_id["event_id"], by_id["body"], by_id["signature"]) == ("evt_mike", "", "")


def test_what_a_body_grows_by_when_it_is_escaped_counts() -> None:
    assert new_delivery("evt_mike", 1_700_000_000, '"' * LARGEST, "t=1")["body"] == ""
