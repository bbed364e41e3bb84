"""Clients for the engines that play AWS."""

import os
from typing import Any

import boto3
from botocore.config import Config
from botocore.session import Session

from local.names import AWS_CREDENTIALS, REGION


def client(service: str, url: str) -> Any:  # noqa: ANN401 each service's client has a type of its own
    """A client of the engine at `url` that sees none of the developer's AWS settings and proxies."""
    unset = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    session = boto3.Session(
        botocore_session=Session(session_vars=unset),
        aws_access_key_id=AWS_CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=AWS_CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    return session.client(
        service,  # type: ignore[call-overload] # the overloads name every service; this one is the caller's
        endpoint_url=url,
        config=Config(proxies={}, connect_timeout=2, read_timeout=60, retries={"total_max_attempts": 1}),
    )
