"""The stand-in's pages and endpoints."""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from local.web3auth.identity_tokens import (
    LIFETIME_SECONDS,
    Issuer,
    app_key,
    social_claims,
    wallet_address,
    wallet_claims,
)

NAME_MAX_LENGTH = 64
LOOPBACK = frozenset({"127.0.0.1", "localhost"})


def create_app(base_url: str, client_id: str) -> Flask:
    """Web3Auth under `base_url`, the issuer of social logins; `<base_url>/external` is that of wallets."""
    app = Flask(__name__)
    social, external = Issuer(base_url, client_id), Issuer(f"{base_url}/external", client_id)

    @app.get("/_health")
    def health() -> ResponseReturnValue:
        return {"status": "ok", "issuers": [social.url, external.url], "client_id": client_id}

    @app.get("/jwks")
    def jwks() -> ResponseReturnValue:
        return social.jwks()

    @app.get("/external/jwks")
    def external_jwks() -> ResponseReturnValue:
        return external.jwks()

    @app.post("/token")
    def issue_token() -> ResponseReturnValue:
        fields = request.get_json() if request.is_json else request.form
        if not isinstance(fields, Mapping):
            raise BadRequest('send an object such as {"name": "mike"}')
        return _sign_in(fields)

    @app.get("/")
    def sign_in_page() -> ResponseReturnValue:
        return render_template("sign_in.html", redirect_uri=request.args.get("redirect_uri", ""))

    @app.post("/")
    def sign_in() -> ResponseReturnValue:
        signed_in = _sign_in(request.form)
        redirect_uri = request.form.get("redirect_uri", "")
        if redirect_uri:
            return redirect(_with_token(redirect_uri, signed_in["token"]), 303)
        return render_template("sign_in.html", redirect_uri="", **signed_in)

    @app.errorhandler(BadRequest)
    def bad_request(error: BadRequest) -> ResponseReturnValue:
        return {"error": error.description}, 400

    def _sign_in(fields: Mapping[str, Any]) -> dict[str, str]:
        name, expires_in = _name(fields), _expires_in(fields)
        now = int(time.time())
        if fields.get("wallet") in (True, "true", "on"):
            return {
                "token": external.token(wallet_claims(name), now, expires_in),
                "player_id": wallet_address(name).lower(),
            }
        return {"token": social.token(social_claims(name), now, expires_in), "player_id": app_key(name)}

    return app


def _name(fields: Mapping[str, Any]) -> str:
    name = fields.get("name")
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= NAME_MAX_LENGTH:
        raise BadRequest(f"name must be a text of 1 to {NAME_MAX_LENGTH} characters")
    return name.strip()


def _expires_in(fields: Mapping[str, Any]) -> int:
    try:
        return int(fields.get("expires_in", LIFETIME_SECONDS))
    except (TypeError, ValueError, OverflowError):
        raise BadRequest("expires_in must be a number of seconds; below zero it has expired") from None


def _with_token(redirect_uri: str, token: str) -> str:
    """`redirect_uri` with the token in its fragment, which browsers send to no server."""
    target = urlsplit(redirect_uri)
    if target.scheme != "http" or target.hostname not in LOOPBACK:
        raise BadRequest("redirect_uri must be an http:// address on 127.0.0.1 or localhost")
    return target._replace(fragment=f"token={token}").geturl()
