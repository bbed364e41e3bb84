"""The six programs of the stack: two engines that play AWS, three stand-ins, and the demo shop.

Ministack plays all of AWS but Step Functions, which is moto's: moto's interpreter keeps AWS's error names,
Retry, Catch and path semantics, ministack's does not. Moto in turn has no API gateway and no event source
mappings, and its DynamoDB loses updates under threads.
"""

from collections.abc import Callable
from pathlib import Path

from local.names import (
    ACCOUNT,
    AWS_CREDENTIALS,
    JOINMAKE_API_KEY,
    REGION,
    STRIPE_API_KEY,
    WEB3AUTH_CLIENT_ID,
    loopback,
)
from local.process import Process


def ministack(port: int, directory: Path, on_restart: Callable[[], None]) -> Process:
    """Ministack on loopback alone, and away from Docker."""
    return Process(
        "ministack",
        ["local.run_ministack"],
        health=f"{loopback(port)}/_ministack/health",
        directory=directory,
        environment={
            **AWS_CREDENTIALS,
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LAMBDA_WARM_TTL_SECONDS": "60",
            "DOCKER_HOST": "unix:///nonexistent",
            "STATE_DIR": str(directory / "ministack"),
            "S3_DATA_DIR": str(directory / "ministack" / "s3"),
            "FUNCTION_LOGS": str(directory / "logs" / "functions.log"),
        },
        on_restart=on_restart,
    )


def stepfunctions(port: int, ministack_port: int, directory: Path) -> Process:
    """Moto, whose Task states call `http://localhost:$MOTO_PORT`."""
    return Process(
        "stepfunctions",
        ["local.run_stepfunctions", "--aws", loopback(ministack_port), "--port", str(port)],
        health=f"{loopback(port)}/moto-api/data.json",
        directory=directory,
        environment={**AWS_CREDENTIALS, "MOTO_PORT": str(ministack_port)},
    )


def stripe(port: int, api_version: str, directory: Path, on_restart: Callable[[], None]) -> Process:
    return Process(
        "stripe",
        [
            "local.stripe",
            *("--port", str(port)),
            *("--retry-base", "1.0"),
            *("--api-version", api_version),
            *("--api-key", STRIPE_API_KEY),
        ],
        health=f"{loopback(port)}/_health",
        directory=directory,
        on_restart=on_restart,
    )


def web3auth(port: int, directory: Path) -> Process:
    return Process(
        "web3auth",
        ["local.web3auth", "--port", str(port), "--client-id", WEB3AUTH_CLIENT_ID],
        health=f"{loopback(port)}/_health",
        directory=directory,
    )


def joinmake(port: int, directory: Path) -> Process:
    return Process(
        "joinmake",
        ["local.joinmake", "--port", str(port), "--api-key", JOINMAKE_API_KEY],
        health=f"{loopback(port)}/_health",
        directory=directory,
    )


def web(port: int, api_url: str, web3auth_url: str, directory: Path) -> Process:
    return Process(
        "web",
        ["local.web", "--port", str(port), "--api", api_url, "--web3auth", web3auth_url],
        health=f"{loopback(port)}/_health",
        directory=directory,
    )
