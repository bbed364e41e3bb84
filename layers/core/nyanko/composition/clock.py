"""The time, and waiting."""

import time


def now() -> int:
    """Epoch seconds UTC."""
    return int(time.time())


def sleep(seconds: float) -> None:
    time.sleep(seconds)
