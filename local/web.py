"""`python -m local.web --port N --api URL --web3auth URL`: serve `web/` with the demo shop on 127.0.0.1.

`/config.json` tells the page where the rest of the stack is.
"""

import argparse
import logging
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, send_from_directory
from flask.typing import ResponseReturnValue
from werkzeug.serving import make_server

from local.names import ROOT

SITE = ROOT / "web"


def create_app(api_url: str, web3auth_url: str) -> Flask:
    app = Flask(__name__, static_folder=None)
    api = urlsplit(api_url).netloc
    content_security_policy = (
        f"default-src 'self'; connect-src 'self' http://{api} ws://{api}; img-src 'self' data:; "
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

    @app.get("/_health")
    def health() -> ResponseReturnValue:
        return {"status": "ok"}

    @app.get("/config.json")
    def config() -> ResponseReturnValue:
        return {"api": api_url, "web3auth": web3auth_url}

    @app.get("/")
    def home() -> ResponseReturnValue:
        return redirect("/shop/")

    @app.get("/<path:path>")
    def file(path: str) -> ResponseReturnValue:
        return send_from_directory(SITE, f"{path}index.html" if path.endswith("/") else path)

    @app.after_request
    def guard(response: Response) -> Response:
        # A developer who edits a file wants to see it on the next reload.
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Security-Policy"] = content_security_policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="local.web", description="The demo shop.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--api", required=True, help="base URL of the REST API; its host serves WebSockets too"
    )
    parser.add_argument("--web3auth", required=True, help="base URL of the sign-in page")
    arguments = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = create_app(arguments.api, arguments.web3auth)
    make_server("127.0.0.1", arguments.port, app, threaded=True).serve_forever()
