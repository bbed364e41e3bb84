"""Operators of the stage that the workflow runs in, with AWS played by moto."""

import boto3
from botocore.session import Session

from ops.stages import Connection, Stage
from tests import template
from tests.workflow.lambda_runtime import SSM_PARAMETERS


def stage_of_the_workflow(name: str = template.STAGE) -> Stage:
    """To its operators it is AWS; what is told to prod stays in memory as well."""
    ssm = boto3.client("ssm")
    for noun in ("stripe_api_url",):
        ssm.put_parameter(
            Name=f"/{name}/jm_nyanko/{noun}", Value=SSM_PARAMETERS[noun], Type="String", Overwrite=True
        )
    session = Session()
    session.set_config_variable("region", template.REGION)
    return Stage(name, lambda: Connection(session, {}))
