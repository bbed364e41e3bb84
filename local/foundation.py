"""Plays Terraform's part: what must stand before `template.yaml` can be deployed.

Names are those of the environments: `<stage>_jm_nyanko_<noun>`, parameters under `/<stage>/jm_nyanko/`.
"""

import json
from collections.abc import Mapping
from typing import Any

from local import aws
from local.names import PREFIX, ROOT, STAGE

TABLES = ROOT / "terraform" / "modules" / "data" / "tables.json"


SECRETS = ("stripe_api_key", "stripe_webhook_secrets", "joinmake_api_key")


def lay(aws_url: str, parameters: Mapping[str, str]) -> None:
    """Create keys, tables, secrets without a value, and the parameters that the template reads."""
    kms = aws.client("kms", aws_url)
    key = kms.create_key(Description=f"{STAGE} data of jm_nyanko")["KeyMetadata"]
    kms.create_alias(AliasName=f"alias/{PREFIX}", TargetKeyId=key["KeyId"])
    replay_key = kms.create_key(
        Description=f"{STAGE} replays of jm_nyanko", KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC"
    )["KeyMetadata"]
    kms.create_alias(AliasName=f"alias/{PREFIX}_replay", TargetKeyId=replay_key["KeyId"])
    ssm = aws.client("ssm", aws_url)
    for name, value in {
        **parameters,
        "kms_key_arn": key["Arn"],
        "replay_key_arn": replay_key["Arn"],
    }.items():
        ssm.put_parameter(Name=f"/{STAGE}/jm_nyanko/{name}", Value=value, Type="String")
    secretsmanager = aws.client("secretsmanager", aws_url)
    for noun in SECRETS:
        secretsmanager.create_secret(Name=f"{PREFIX}_{noun}")
    dynamodb = aws.client("dynamodb", aws_url)
    for noun, schema in json.loads(TABLES.read_text()).items():
        _create_table(dynamodb, f"{PREFIX}_{noun}", schema)


def _create_table(dynamodb: Any, name: str, schema: Mapping[str, Any]) -> None:  # noqa: ANN401 a boto3 client
    indexes = [
        {"IndexName": index, "KeySchema": _keys(keys), "Projection": {"ProjectionType": keys["projection"]}}
        for index, keys in schema.get("indexes", {}).items()
    ]
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=_keys(schema),
        AttributeDefinitions=[
            {"AttributeName": attribute, "AttributeType": kind}
            for attribute, kind in schema["attributes"].items()
        ],
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
    )
    if "ttl" in schema:
        dynamodb.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": schema["ttl"]},
        )


def _keys(schema: Mapping[str, Any]) -> list[dict[str, str]]:
    keys = [{"AttributeName": schema["hash_key"], "KeyType": "HASH"}]
    if "range_key" in schema:
        keys.append({"AttributeName": schema["range_key"], "KeyType": "RANGE"})
    return keys


def store_secret(aws_url: str, noun: str, value: str) -> None:
    """Give a secret its value, as a person does after Terraform has made it."""
    aws.client("secretsmanager", aws_url).put_secret_value(SecretId=f"{PREFIX}_{noun}", SecretString=value)
