"""A shop on the running stack, and a player of one's own for each test."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from local.stack import Stack
from tests.e2e.shop import Player, Shop


@pytest.fixture(scope="session")
def shop(stack: Stack) -> Iterator[Shop]:
    shop = Shop(stack)
    yield shop
    shop.close()


@pytest.fixture
def player(shop: Shop) -> Player:
    return Player(shop, f"mike {uuid4().hex}")
