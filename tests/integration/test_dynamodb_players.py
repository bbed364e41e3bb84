"""The table `players`."""

from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from moto import mock_aws

from nyanko.adapters.dynamodb_players import Players
from nyanko.adapters.dynamodb_table import Table
from tests.data import MIKE


@pytest.fixture
def players(monkeypatch: pytest.MonkeyPatch) -> Iterator[Players]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-1")
        client.create_table(
            TableName="stg_jm_nyanko_players",
            KeySchema=[{"AttributeName": "subject", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "subject", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield Players(Table(lambda: client, "stg_jm_nyanko_players"))


def test_a_player_is_found_as_put_and_the_later_profile_wins(players: Players) -> None:
    assert players.get(MIKE.player_id) is None
    players.put(MIKE)
    assert players.get(MIKE.player_id) == MIKE
    renamed = replace(MIKE, display_name=None, profile_read_at=2_000)
    players.put(renamed)
    assert players.get(MIKE.player_id) == renamed
