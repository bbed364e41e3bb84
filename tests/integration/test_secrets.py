"""Secrets against Secrets Manager's answers: how long each is kept, and what its failures become."""

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import Stubber

from nyanko.adapters.secretsmanager_secrets import MAX_AGE_SECONDS, MAX_STALE_SECONDS, RETRY_SECONDS, Secrets
from nyanko.errors import Retryable

NAME = "stg_jm_nyanko_stripe_api_key"
NOW = 1_700_000_000


class Store:
    """Secrets whose clock stands still, in front of answers that are given one by one."""

    def __init__(self) -> None:
        self.now = NOW
        client = boto3.client(
            "secretsmanager", region_name="ap-northeast-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        self.client = Stubber(client)
        self.client.activate()
        self.made = client
        self.stale: list[str] = []
        self._secrets = Secrets(lambda: client, lambda: self.now, self.stale.append)

    def answers(self, value: str) -> None:
        self.client.add_response("get_secret_value", {"SecretString": value}, {"SecretId": NAME})

    def fails(self, code: str) -> None:
        self.client.add_client_error("get_secret_value", code)

    def value(self) -> str:
        return self._secrets.value(NAME)

    def fresh_value(self) -> str:
        return self._secrets.value(NAME, max_age_seconds=0)


@pytest.fixture
def store() -> Store:
    return Store()


def test_a_secret_is_read_once_in_five_minutes(store: Store) -> None:
    store.answers("old")
    assert store.value() == "old"
    store.now += MAX_AGE_SECONDS - 1
    assert store.value() == "old"
    store.now += 1
    store.answers("new")
    assert store.value() == "new"
    store.client.assert_no_pending_responses()


def test_a_secret_can_be_read_past_the_cache_which_keeps_what_was_read(store: Store) -> None:
    store.answers("old")
    assert store.value() == "old"
    store.answers("new")
    assert store.fresh_value() == store.value() == "new"
    store.client.assert_no_pending_responses()


def test_secrets_manager_is_not_pressed_for_a_fresh_value_while_it_fails(store: Store) -> None:
    store.answers("old")
    store.value()
    store.fails("InternalServiceError")
    assert store.fresh_value() == "old"
    store.now += RETRY_SECONDS - 1
    assert (store.fresh_value(), store.stale) == ("old", [NAME] * 2)


def test_a_secret_without_a_value_is_empty_until_somebody_stores_one(store: Store) -> None:
    store.fails("ResourceNotFoundException")
    assert store.value() == ""
    store.answers("stored")
    assert store.value() == "stored"


@pytest.mark.parametrize("code", ["InternalServiceError", "AccessDeniedException", "DecryptionFailure"])
def test_a_secret_that_cannot_be_read_may_be_read_later(store: Store, code: str) -> None:
    store.fails(code)
    with pytest.raises(Retryable) as raised:
        store.value()
    assert raised.value.code == "ServiceUnavailable"
    store.answers("there")
    assert store.value() == "there"


def test_while_none_can_be_read_the_last_one_is_used_on_and_that_is_told(store: Store) -> None:
    store.answers("old")
    assert (store.value(), store.stale) == ("old", [])
    store.now += MAX_AGE_SECONDS
    store.fails("InternalServiceError")
    assert (store.value(), store.stale) == ("old", [NAME])
    store.now += RETRY_SECONDS - 1
    assert (store.value(), store.stale) == ("old", [NAME] * 2), "asked again within the minute"
    store.now += 1
    store.answers("new")
    assert (store.value(), store.stale) == ("new", [NAME] * 2)


def test_nothing_is_used_that_is_older_than_an_hour(store: Store) -> None:
    store.answers("old")
    store.value()
    store.now += MAX_STALE_SECONDS - 1
    store.fails("InternalServiceError")
    assert store.value() == "old"
    store.now += 1
    store.fails("InternalServiceError")
    with pytest.raises(Retryable):
        store.value()


def test_no_answer_at_all_is_a_failure_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def time_out(**_: str) -> None:
        raise ConnectTimeoutError(endpoint_url="https://secretsmanager")

    monkeypatch.setattr(store.made, "get_secret_value", time_out)
    with pytest.raises(Retryable):
        store.value()
