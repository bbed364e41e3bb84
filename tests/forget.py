"""Tests change the environment that `nyanko.wiring` read once, so they make it forget what it built."""

from nyanko import wiring


def forget_wiring() -> None:
    for built in vars(wiring).values():
        if hasattr(built, "cache_clear"):
            built.cache_clear()
