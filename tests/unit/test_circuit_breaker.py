"""The circuit breaker: after which failures a service is left alone, and for how long."""

from nyanko.circuit_breaker import CircuitBreaker
from tests.web3auth_tokens import Clock


def test_only_failures_in_a_row_open_it() -> None:
    breaker = CircuitBreaker(max_failures=3, open_seconds=30, now=Clock())
    for happened in (breaker.failed, breaker.failed, breaker.succeeded, breaker.failed, breaker.failed):
        happened()
        assert not breaker.is_open
    breaker.failed()
    assert breaker.is_open


def test_it_allows_a_trial_when_the_time_is_over_and_opens_again_at_once_if_that_fails() -> None:
    clock = Clock(0)
    breaker = CircuitBreaker(max_failures=2, open_seconds=30, now=clock)
    breaker.failed()
    breaker.failed()
    clock.now = 29.9
    assert breaker.is_open
    clock.now = 30
    assert not breaker.is_open
    breaker.failed()
    assert breaker.is_open
    clock.now = 60
    breaker.succeeded()
    breaker.failed()
    assert not breaker.is_open
