"""`python -m local.joinmake --port N --api-key K`: serve the stand-in on 127.0.0.1."""

import argparse
import logging

from werkzeug.serving import make_server

from local.joinmake.app import create_app

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="local.joinmake", description="A stand-in for the Join&make user API."
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--api-key", required=True, help="what the X-Api-Key header must hold")
    arguments = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    make_server("127.0.0.1", arguments.port, create_app(arguments.api_key), threaded=True).serve_forever()
