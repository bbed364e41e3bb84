"""Lengths of time as people type and read them."""

import pytest

from ops.durations import seconds, spoken


@pytest.mark.parametrize(("text", "length"), [("90s", 90), ("30m", 1800), ("24h", 86_400), ("7d", 604_800)])
def test_lengths_are_read_with_their_unit(text: str, length: int) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "24", "h", "1.5h", "-1h", "24 h", "24H", "1w", "٣h", "9999999s"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write 30m, 24h or 7d"):
        seconds(text)


@pytest.mark.parametrize(
    ("length", "text"), [(0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (180_000, "2d")]
)
def test_ages_are_told_in_the_largest_unit_that_they_fill(length: int, text: str) -> None:
    assert spoken(length) == text
