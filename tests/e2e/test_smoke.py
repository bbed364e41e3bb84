"""`nyanko smoke`, which tries a deployment, tried on the local stack."""

import pytest

from ops import smoke
from ops.smoke import Broken
from ops.stages import StageError, local_stage
from tests.e2e.shop import Shop


def test_a_purchase_in_test_mode_ends_granted(shop: Shop) -> None:
    stage = local_stage(shop.stack.directory)
    bought = smoke.buy(stage, lambda checkout: shop.pay(checkout["url"]))
    assert bought["status"] == "granted"


def test_a_purchase_that_nobody_pays_is_found_out(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke, "PATIENCE_SECONDS", 0)
    with pytest.raises(Broken, match="is created 0 seconds after it was paid"):
        smoke.buy(local_stage(shop.stack.directory), lambda _: None)


def test_no_real_money_is_ever_moved(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = local_stage(shop.stack.directory)
    monkeypatch.setattr(stage.adapters.secrets, "stripe_api_key", lambda: "sk_live_real")
    with pytest.raises(StageError, match="not one of test mode"):
        smoke.payment_in_test_mode(stage)


def test_whoever_gets_past_cloudfront_is_found_out(shop: Shop) -> None:
    """The local stack has no CloudFront: its API answers at any address."""
    looks = {look.what: look.well for look in smoke.look(shop.stack.api, shop.stack.api, "unreleased")}
    assert looks == {
        "the API is up": True,
        "and is the version that was deployed": True,
        "something is sold": True,
        "nobody but Stripe is believed": True,
        "nobody gets past CloudFront": False,
    }


def test_the_wrong_version_is_found_out(shop: Shop) -> None:
    looks = {look.what: look.well for look in smoke.look(shop.stack.api, shop.stack.api, "another")}
    assert looks["and is the version that was deployed"] is False
