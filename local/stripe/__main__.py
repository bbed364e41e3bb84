"""`python -m local.stripe --port N`: serve until interrupted; `GET /_health` tells when it is ready."""

import argparse
import signal
import threading

from local.stripe import versions
from local.stripe.errors import ApiError
from local.stripe.server import StandIn
from local.stripe.store import ACCOUNT_API_VERSION


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.stripe", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--livemode", action="store_true", help="mark every object as real money")
    parser.add_argument(
        "--retry-base",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="wait before a failed delivery is repeated; doubles each time",
    )
    parser.add_argument(
        "--api-version",
        type=_api_version,
        default=ACCOUNT_API_VERSION,
        help="the account's default API version, in which its API shows events (default %(default)s)",
    )
    parser.add_argument(
        "--api-key", default="sk_test_nyanko", help="the account's first secret key (default %(default)s)"
    )
    options = parser.parse_args()
    interrupted = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    with StandIn(
        options.port,
        livemode=options.livemode,
        api_version=options.api_version,
        api_key=options.api_key,
        retry_base=options.retry_base,
    ):
        interrupted.wait()


def _api_version(text: str) -> str:
    try:
        return versions.check(text)
    except ApiError as error:
        raise argparse.ArgumentTypeError(error.message) from None


if __name__ == "__main__":
    main()
