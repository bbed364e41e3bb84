"""Tests change the environment that `nyanko.wiring` read once, so they make it forget what it built."""

from nyanko import wiring


def forget_wiring(*, keep_clients: bool = False) -> None:
    """Build everything anew; AWS's clients may be kept, which are the same for every function."""
    for built in vars(wiring).values():
        if hasattr(built, "cache_clear") and not (keep_clients and built is wiring.client):
            built.cache_clear()
