"""Tests change the environment that a function read once, so they make it forget what it built from it."""

from nyanko.composition import function


def forget_adapters(*, keep_clients: bool = False) -> None:
    """Build everything anew; AWS's clients may be kept, which are the same for every function."""
    function.adapters.cache_clear()
    if not keep_clients:
        function.aws_clients.cache_clear()
