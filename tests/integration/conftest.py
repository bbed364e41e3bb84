from collections.abc import Iterator

import pytest

from tests.integration.stripe_shop import Shop


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop
