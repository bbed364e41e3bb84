"""Players: when what Join&make said about one is old."""

import pytest

from tests.data import MIKE


@pytest.mark.parametrize(("now", "old"), [(1_000, False), (1_000 + 86_399, False), (1_000 + 86_400, True)])
def test_a_profile_is_old_after_a_day(now: int, old: bool) -> None:  # noqa: FBT001 a column of the table
    assert MIKE.profile_is_old(now) is old
