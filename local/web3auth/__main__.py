"""`python -m local.web3auth --port N [--client-id ID]`: serve the stand-in on 127.0.0.1."""

import argparse
import logging

from werkzeug.serving import make_server

from local.web3auth.app import create_app

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="local.web3auth", description="A stand-in for Web3Auth.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--client-id", default="local-jm-nyanko", help="the audience of the tokens")
    arguments = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = create_app(f"http://127.0.0.1:{arguments.port}", arguments.client_id)
    make_server("127.0.0.1", arguments.port, app, threaded=True).serve_forever()
