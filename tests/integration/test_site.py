"""What browsers are told of the site's files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import aws
from local.stack import Stack
from ops.site import UnknownType, headers, upload

UNITY = "Build/0123456789abcdef0123456789abcdef"


@pytest.fixture
def bucket(stack: Stack) -> Iterator[tuple[Any, str]]:
    s3, name = aws.client("s3", stack.aws), "test-site"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"})
    yield s3, name
    for found in s3.list_objects_v2(Bucket=name).get("Contents", []):
        s3.delete_object(Bucket=name, Key=found["Key"])
    s3.delete_bucket(Bucket=name)


def test_a_unity_build_is_told_apart_by_type_and_compression(bucket: tuple[Any, str], tmp_path: Path) -> None:
    s3, name = bucket
    (tmp_path / "Build").mkdir()
    for file in (f"{UNITY}.wasm.br", f"{UNITY}.js.gz", f"{UNITY}.data.br", "index.html"):
        (tmp_path / file).write_bytes(b"x")
    assert upload(s3, tmp_path, name, "play/") == 4
    told = {
        file: s3.head_object(Bucket=name, Key=f"play/{file}")
        for file in (f"{UNITY}.wasm.br", f"{UNITY}.js.gz", "index.html")
    }
    assert {file: head["ContentType"] for file, head in told.items()} == {
        f"{UNITY}.wasm.br": "application/wasm",
        f"{UNITY}.js.gz": "text/javascript; charset=utf-8",
        "index.html": "text/html; charset=utf-8",
    }
    assert {file: head.get("ContentEncoding", "") for file, head in told.items()} == {
        f"{UNITY}.wasm.br": "br",
        f"{UNITY}.js.gz": "gzip",
        "index.html": "",
    }
    assert "immutable" in told[f"{UNITY}.wasm.br"]["CacheControl"]
    assert told["index.html"]["CacheControl"] == "no-cache"


def test_pages_come_after_what_they_name(tmp_path: Path) -> None:
    put: list[str] = []

    class Recorder:
        def put_object(self, *, Key: str, **_: object) -> None:  # noqa: N803 boto3's word
            put.append(Key)

    for file in ("a.html", "z.js"):
        (tmp_path / file).write_text("x")
    upload(Recorder(), tmp_path, "any", "")
    assert put == ["z.js", "a.html"]


def test_a_file_of_an_unknown_kind_stops_the_upload_before_it_starts(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("x")
    (tmp_path / "b.exe").write_text("x")
    with pytest.raises(UnknownType, match=r"b\.exe"):
        upload(None, tmp_path, "any", "")


@pytest.mark.parametrize("name", ["jm_nyanko.js", "shop.css", "Build.loader.js", "build-2026.js"])
def test_a_name_that_stays_while_its_content_changes_is_asked_for_again(name: str) -> None:
    assert headers(name)["CacheControl"] == "no-cache"
