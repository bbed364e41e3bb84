"""The running system, for all tests that need it."""

from collections.abc import Iterator

import pytest

from local.stack import Ports, Stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One local stack for the whole session, on ports and in a folder of its own."""
    with Stack(Ports.free(), tmp_path_factory.mktemp("stack")) as running:
        yield running
