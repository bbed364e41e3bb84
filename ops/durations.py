"""Lengths of time as people type them: 30m, 24h, 7d."""

import re

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}


def seconds(text: str) -> int:
    """Raises `ValueError` for anything but a whole number with one of the units."""
    matched = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if not matched:
        raise ValueError(f"{text!r} is no length of time: write 30m, 24h or 7d")
    return int(matched[1]) * UNITS[matched[2]]


def spoken(length: int) -> str:
    """In the largest unit that it fills."""
    unit = next((unit for unit in "dhm" if length >= UNITS[unit]), "s")
    return f"{length // UNITS[unit]}{unit}"
