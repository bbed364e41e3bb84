"""What a cold start pays for: the packages that a function really imports, and the clients that it builds.

Each function runs in a process of its own, from its import to the end of its first calls.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from types import SimpleNamespace

import pytest

from tests.first_calls import edge, environment, event
from tests.template import ROOT, functions

LOGGING = {"aws_lambda_powertools", "botocore", "jmespath", "typing_extensions"}
AWS = {"botocore", "certifi", "dateutil", "six", "urllib3"}
STRIPE = {"charset_normalizer", "idna", "requests", "stripe"}
TOKENS = {"_cffi_backend", "cryptography", "jose"}
PACKAGES = {
    "api": LOGGING | AWS | STRIPE,
    "authorizer": LOGGING | AWS | TOKENS,
    "grant_items": LOGGING | AWS,
    "notify_player": LOGGING | AWS,
    "park_event": LOGGING | AWS,
    "realtime": LOGGING | AWS,
    "realtime_authorizer": LOGGING | AWS,
    "reconcile": LOGGING | AWS | STRIPE,
    "record_payment": LOGGING | AWS,
    "start_payment": LOGGING | AWS,
    "stripe_webhook": LOGGING | AWS,
    "verify_event": LOGGING | AWS,
}

PROGRAM = """
import json, sys
from importlib import import_module

class Context:
    aws_request_id = "first"

    def get_remaining_time_in_millis(self):
        return 900_000

def packages():
    return {name.partition(".")[0] for name, module in sys.modules.items() if module}

# Lambda has neither pyOpenSSL nor simplejson, which botocore and requests take if they find them.
sys.modules["OpenSSL"] = sys.modules["simplejson"] = None
before = packages()
event = json.load(sys.stdin)
function = import_module(sys.argv[1])
clients_may_be_built = "botocore.client" in sys.modules
function.lambda_handler(event, Context())
imported = packages() - before
order = list(sys.modules)  # of their imports
large = min(order.index(name) for name in ("aws_lambda_powertools", "botocore"))

from botocore.client import ClientCreator

built, create = [], ClientCreator.create_client

def created(creator, **about):
    built.append(about["service_name"])
    return create(creator, **about)

ClientCreator.create_client = created
function.lambda_handler(event, Context())
print(json.dumps({
    "imported": sorted(imported), "clients_may_be_built": clients_may_be_built, "built_again": built,
    "large_before_collector": large < order.index("nyanko.composition.collector")
}))
"""


@pytest.fixture(scope="module")
def aws_and_stripe() -> Iterator[str]:
    with edge() as url:
        yield url


@pytest.fixture(scope="module", params=sorted(functions()))
def run(request: pytest.FixtureRequest, aws_and_stripe: str) -> SimpleNamespace:
    """What a function imported until its first call had ended, and which clients it built, and when."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, f"functions.{request.param}.app"],
        input=json.dumps(event(request.param)),
        env=environment(request.param, aws_and_stripe, aws_and_stripe),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(folder=request.param, **json.loads(done.stdout.splitlines()[-1]))


def test_a_function_imports_the_packages_that_it_needs_and_no_other(run: SimpleNamespace) -> None:
    assert set(run.imported) & packages_distributions().keys() - {"nyanko"} == PACKAGES[run.folder]


def test_the_collector_is_told_to_wait_before_anything_large_is_imported(run: SimpleNamespace) -> None:
    assert not run.large_before_collector


def test_no_client_is_built_before_it_is_needed(run: SimpleNamespace) -> None:
    assert not run.clients_may_be_built


def test_a_client_is_built_once(run: SimpleNamespace) -> None:
    assert run.built_again == []


@pytest.mark.parametrize(
    "folder", ["stripe_webhook", "start_payment", "record_payment", "grant_items", "notify_player"]
)
def test_the_way_of_a_purchase_does_without_heavy_packages(folder: str) -> None:
    assert not PACKAGES[folder] & {"aws_xray_sdk", "boto3", "pydantic", "requests", "s3transfer", "stripe"}
