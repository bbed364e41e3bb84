"""What the parts of the stack call each other by."""

from pathlib import Path

ROOT = Path(__file__).parent.parent

STAGE = "local"
PREFIX = f"{STAGE}_jm_nyanko"
REGION = "ap-northeast-1"
ACCOUNT = "123456789012"
"""Moto's own account. Ministack is told to use it too, so that both know a thing by the same ARN."""

AWS_CREDENTIALS = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "local"}

API_ID = "nyanko"
REALTIME_API_ID = "nyanko_realtime"
"""Pinned, so that the APIs have the same URLs on every run."""

WEB3AUTH_CLIENT_ID = "local-jm-nyanko"
STRIPE_API_KEY = "sk_test_local"
STRIPE_ACCOUNT_API_VERSION = "2020-08-27"
"""The default API version of the stack's Stripe account, in which its API shows events.

A real account's differs from ours sooner or later; this old one is the harder test.
"""
JOINMAKE_API_KEY = "local-joinmake"


def loopback(port: int) -> str:
    return f"http://127.0.0.1:{port}"
