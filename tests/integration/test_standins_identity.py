"""The stand-ins for Web3Auth and Join&make as programs of their own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from jose import jwt

ROOT = Path(__file__).parents[2]
API_KEY = "join-and-make"


@contextmanager
def program(*command: str) -> Iterator[str]:
    """Run a stand-in on a free port and give its base URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen([sys.executable, "-m", *command, "--port", str(port)], cwd=ROOT) as child:
        try:
            base_url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 30
            while True:
                assert child.poll() is None, f"{command} ended with {child.returncode}"
                try:
                    if requests.get(f"{base_url}/_health", timeout=5).ok:
                        break
                except requests.ConnectionError:
                    assert time.monotonic() < deadline, f"{command} does not serve"
                    time.sleep(0.05)
            yield base_url
        finally:
            child.terminate()


@pytest.fixture(scope="module")
def web3auth() -> Iterator[str]:
    with program("local.web3auth") as base_url:
        yield base_url


@pytest.fixture(scope="module")
def joinmake() -> Iterator[str]:
    with program("local.joinmake", "--api-key", API_KEY) as base_url:
        yield base_url


def signed_in(web3auth: str, **fields: Any) -> dict[str, str]:
    answer = requests.post(f"{web3auth}/token", json=fields, timeout=5)
    assert answer.status_code == 200, answer.text
    found: dict[str, str] = answer.json()
    return found


def test_a_social_token_verifies_under_the_published_key_and_names_the_app_key_as_the_player(
    web3auth: str,
) -> None:
    mike = signed_in(web3auth, name="mike")
    jwks = requests.get(f"{web3auth}/jwks", timeout=5).json()
    claims = jwt.decode(mike["token"], jwks, ["ES256"], audience="local-jm-nyanko", issuer=web3auth)
    keys = {wallet["curve"]: wallet["public_key"] for wallet in claims["wallets"]}
    assert keys["secp256k1"] == mike["player_id"]
    assert claims["exp"] - claims["iat"] == 24 * 3600
    assert jwt.get_unverified_header(mike["token"])["kid"] == jwks["keys"][0]["kid"]


def test_a_wallet_token_has_an_issuer_and_a_key_of_its_own(web3auth: str) -> None:
    mike = signed_in(web3auth, name="mike", wallet=True)
    jwks = requests.get(f"{web3auth}/external/jwks", timeout=5).json()
    issuer = f"{web3auth}/external"
    claims = jwt.decode(mike["token"], jwks, ["ES256"], audience="local-jm-nyanko", issuer=issuer)
    assert [wallet["address"].lower() for wallet in claims["wallets"]] == [mike["player_id"]]
    assert jwks != requests.get(f"{web3auth}/jwks", timeout=5).json()


def test_the_same_name_is_the_same_player_and_another_name_is_another(web3auth: str) -> None:
    mike, mike_again, tama = (signed_in(web3auth, name=name) for name in ("mike", "mike", "タマ"))
    assert mike["player_id"] == mike_again["player_id"] != tama["player_id"]
    assert mike["token"] != mike_again["token"]


def test_the_sign_in_page_hands_the_token_back_in_the_fragment(web3auth: str) -> None:
    page = requests.get(web3auth, params={"redirect_uri": "http://localhost:3000/?a=1"}, timeout=5)
    assert 'value="http://localhost:3000/?a=1"' in page.text
    form = {"name": "mike", "redirect_uri": "http://localhost:3000/?a=1"}
    answer = requests.post(web3auth, data=form, timeout=5, allow_redirects=False)
    location, _, token = answer.headers["Location"].partition("#token=")
    assert (answer.status_code, location) == (303, "http://localhost:3000/?a=1")
    assert jwt.get_unverified_claims(token)["name"] == "mike"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"name": " "},
        {"name": "x" * 65},
        {"name": 5},
        {"name": "mike", "expires_in": "soon"},
        {"name": "mike", "redirect_uri": "https://example.com/"},
        {"name": "mike", "redirect_uri": "javascript:alert(1)"},
    ],
    ids=str,
)
def test_signing_in_says_what_is_wrong_with_a_request(web3auth: str, fields: dict[str, Any]) -> None:
    path = "/" if "redirect_uri" in fields else "/token"
    answer = (
        requests.post(f"{web3auth}{path}", data=fields, timeout=5)
        if path == "/"
        else requests.post(f"{web3auth}{path}", json=fields, timeout=5)
    )
    expected = {"name", "expires_in", "redirect_uri"}
    assert answer.status_code == 400
    assert any(answer.json()["error"].startswith(field) for field in expected)


def test_a_user_is_created_once_and_found_again(joinmake: str) -> None:
    subject = f"0x{'a' * 40}"
    key = {"X-Api-Key": API_KEY}
    assert requests.get(f"{joinmake}/users/{subject}", headers=key, timeout=5).status_code == 404
    created = requests.post(f"{joinmake}/users", json={"subject": subject}, headers=key, timeout=5)
    again = requests.post(f"{joinmake}/users", json={"subject": subject}, headers=key, timeout=5)
    found = requests.get(f"{joinmake}/users/{subject}", headers=key, timeout=5)
    assert (created.status_code, again.status_code, found.status_code) == (201, 409, 200)
    assert created.json() == found.json()


def test_nothing_is_told_without_the_api_key(joinmake: str) -> None:
    for headers in ({}, {"X-Api-Key": "wrong"}, {"X-Api-Key": API_KEY + " x"}):
        assert requests.get(f"{joinmake}/users/x", headers=headers, timeout=5).status_code == 401


def test_faults_are_asked_for_and_end(joinmake: str) -> None:
    url, key = f"{joinmake}/users/0x{'b' * 40}", {"X-Api-Key": API_KEY}
    faults = f"{joinmake}/_faults"
    assert requests.put(faults, json={"status": 500, "times": 1}, timeout=5).status_code == 200
    assert [requests.get(url, headers=key, timeout=5).status_code for _ in range(2)] == [500, 404]
    requests.put(faults, json={"garbage": True}, timeout=5)
    assert "garbage" in requests.get(url, headers=key, timeout=5).text
    requests.put(faults, json={"status": 500, "method": "POST"}, timeout=5)
    assert requests.get(url, headers=key, timeout=5).status_code == 404
    assert requests.delete(faults, timeout=5).status_code == 204
    assert requests.put(faults, json={"typo": 1}, timeout=5).status_code == 400
