"""The account's API keys: who may call, what each may do, and how a key is rolled.

Secret keys may do all. A restricted key may read or write some resources, and who writes may read
(https://docs.stripe.com/keys/restricted-api-keys). A rolled key goes on working until it expires, at once or
up to seven days later (https://docs.stripe.com/keys#rolling-keys).

An unknown key is 401, and so is an expired one (https://docs.stripe.com/error-codes#api-key-expired). A right
that is missing is 403, in the words that https://github.com/stripe/stripe-node/issues/2246 shows. What is
expanded has to be readable too: no page says so, but a key that may not read it should not be relied on.
"""

import base64
import binascii
import dataclasses
from collections.abc import Mapping
from typing import Literal

from local.stripe.errors import ApiError
from local.stripe.params import Raw, text
from local.stripe.store import Account, ApiKey, random_text

MAX_OVERLAP_SECONDS = 7 * 24 * 3600

Right = Literal["read", "write"]

RESOURCES: Mapping[str, str] = {
    "balance_transactions": "balance",
    "charges": "charge",
    "checkout": "checkout_session",
    "disputes": "dispute",
    "events": "event",
    "payment_intents": "payment_intent",
    "payment_methods": "payment_method",
    "payment_pages": "checkout_session",
    "prices": "plan",
    "products": "product",
    "refunds": "charge",
    "stripecli": "webhook",
    "webhook_endpoints": "webhook",
}
"""Of each first part of a path: the resource whose right it takes. Refunds have none of their own."""

NOUNS: Mapping[str, str] = {
    "balance_transaction": "balance",
    "charge": "charge",
    "checkout.session": "checkout_session",
    "dispute": "dispute",
    "payment_intent": "payment_intent",
    "price": "plan",
    "product": "product",
    "refund": "charge",
}
"""Of each object that can be expanded."""


def authenticate(account: Account, header: str) -> ApiKey:
    """The key that stands in an Authorization header (https://docs.stripe.com/api/authentication).

    Raises `ApiError`: 401 if it is none of the account's keys in force. The account need not be held.
    """
    value = _credentials(header)
    if not value:
        raise ApiError(
            "You did not provide an API key. You need to provide your API key in the Authorization header, "
            "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
        )
    key = next((one for one in list(account.keys.values()) if one.value == value), None)
    if key is None:
        raise ApiError(f"Invalid API Key provided: {masked(value)}", status=401)
    if key.expires_at is not None and key.expires_at <= account.now():
        raise ApiError(f"Expired API Key provided: {masked(value)}", code="api_key_expired", status=401)
    return key


def require(key: ApiKey, resource: str, right: Right) -> None:
    """Raises `ApiError` (403) if the key has not that right."""
    if key.rights is None or key.rights.get(resource) in (right, "write"):
        return
    raise ApiError(
        f"The provided key '{masked(key.value)}' does not have the required permissions for this endpoint "
        f"on account '{ACCOUNT_ID}'. Having the 'rak_{resource}_{right}' permission would allow this request "
        "to continue.",
        status=403,
    )


def require_for(key: ApiKey, method: str, path: str) -> None:
    """The right that a call takes: to read for GET, to write for everything else."""
    require(key, RESOURCES[path.split("/")[2]], "read" if method == "GET" else "write")


def add(account: Account, value: str, rights: Mapping[str, str] | None = None) -> ApiKey:
    key = ApiKey(account.new_id("mk_1"), value, rights)
    account.keys[key.id] = key
    return key


def create(account: Account, rights: Mapping[str, str] | None) -> ApiKey:
    """A new secret key, or with `rights` a restricted one."""
    prefix = "sk" if rights is None else "rk"
    mode = "live" if account.livemode else "test"
    return add(account, f"{prefix}_{mode}_{random_text(24)}", rights)


def roll(account: Account, key: ApiKey, expires_in: int) -> ApiKey:
    """A new key with the same rights; the old one expires in so many seconds."""
    account.keys[key.id] = dataclasses.replace(key, expires_at=account.now() + expires_in)
    return create(account, key.rights)


def get(account: Account, key_id: str) -> ApiKey:
    found = account.keys.get(key_id)
    if found is None:
        raise ApiError(f"No such API key: '{key_id}'", code="resource_missing", param="id", status=404)
    return found


def masked(value: str) -> str:
    """Enough to tell keys apart, and too little to use one."""
    shown = value[:8] if len(value) > 12 else ""
    return f"{shown}{'*' * 8}{value[-4:]}"


def parse_rights(raw: Raw, name: str) -> dict[str, str]:
    """`charge:read,checkout_session:write` as a dictionary."""
    rights = {}
    for part in text(raw, name).split(","):
        resource, _, right = part.strip().partition(":")
        if resource not in RESOURCES.values() or right not in ("read", "write"):
            raise ApiError(f"Invalid right: {part!r}, which would be like charge:read", param=name)
        rights[resource] = right
    return rights


ACCOUNT_ID = "acct_1Nyanko000000000"


def _credentials(header: str) -> str:
    """The key as bearer token or as user name."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        return credentials.strip()
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
