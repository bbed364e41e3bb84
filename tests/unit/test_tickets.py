"""Tickets, which travel in a URL and are stored as a hash alone."""

import re

from nyanko.tickets import new_ticket, ticket_hash


def test_a_ticket_is_32_random_bytes_that_a_url_carries_as_they_are() -> None:
    tickets = {new_ticket() for _ in range(100)}
    assert len(tickets) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", ticket) for ticket in tickets)


def test_what_is_stored_is_sha_256_of_the_ticket() -> None:
    assert ticket_hash("tama") == "473ec7ab1e08600fc028c71f335d7741d724301ab433d3e884319b204a510c0d"


def test_whatever_a_url_can_hold_has_a_hash() -> None:
    assert len({ticket_hash(text) for text in ("", "\ud800", "三毛猫", "x" * 4096)}) == 4
