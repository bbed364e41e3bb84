"""Players: when what Join&make said about one is old."""

import pytest

from nyanko.players import Player

MIKE = Player("02" + "ab" * 32, "jm_1", "ミケ", "1990-04", profile_read_at=1_000)


@pytest.mark.parametrize(("now", "old"), [(1_000, False), (1_000 + 86_399, False), (1_000 + 86_400, True)])
def test_a_profile_is_old_after_a_day(now: int, old: bool) -> None:  # noqa: FBT001 a column of the table
    assert MIKE.profile_is_old(now) is old
