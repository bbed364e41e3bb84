"""Uploads a folder to the bucket of a site: `python -m ops.site FOLDER s3://BUCKET/PREFIX/`.

S3 passes on what it was told at the upload, so everything that browsers need to know of a file is said here:
Unity's builds are compressed beforehand, and WebAssembly compiles while it streams only under its own type
(https://docs.unity3d.com/Manual/webgl-server-configuration-code-samples.html).
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Annotated, Any

import boto3  # noqa: TID251 an operator's session is not a function's
import typer

from ops.output import people, refuse

ENCODINGS = {".br": "br", ".gz": "gzip"}
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".data": "application/octet-stream",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".jpg": "image/jpeg",
    ".mjs": "text/javascript; charset=utf-8",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ts": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".unityweb": "application/octet-stream",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
HASHED = re.compile(r"(?:^|[.-])[0-9a-f]{8,}\.")
"""Names that change with what they name, such as Unity's with "Name Files As Hashes"."""


class UnknownType(Exception):
    """The file's kind has no type here, and a browser would guess."""


def headers(name: str) -> dict[str, str]:
    """What S3 has to say of a file, as parameters of PutObject. Raises `UnknownType`."""
    path = PurePath(name)
    encoding = ENCODINGS.get(path.suffix)
    kind = path.with_suffix("").suffix if encoding else path.suffix
    if kind not in TYPES:
        raise UnknownType(f"{name}: nobody has said of what type {kind or 'such a file'} is")
    return {
        "ContentType": TYPES[kind],
        "CacheControl": "public, max-age=31536000, immutable" if HASHED.search(path.name) else "no-cache",
        **({"ContentEncoding": encoding} if encoding else {}),
    }


def upload(s3: Any, folder: Path, bucket: str, prefix: str) -> int:  # noqa: ANN401 a boto3 client
    """Put every file of the folder; pages come last, when all that they name is there. Returns how many.

    Raises `UnknownType` before anything is put.
    """
    files = sorted(_files(folder), key=lambda file: (file.suffix == ".html", file))
    told = {file: headers(file.name) for file in files}
    for file, parameters in told.items():
        key = prefix + file.relative_to(folder).as_posix()
        s3.put_object(Bucket=bucket, Key=key, Body=file.read_bytes(), **parameters)
    return len(files)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def main(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="What to upload.")],
    target: Annotated[str, typer.Argument(help="s3://BUCKET/PREFIX/")],
) -> None:
    found = re.fullmatch(r"s3://([a-z0-9.-]+)/((?:.+/)?)", target)
    if found is None:
        refuse(f"{target} is not s3://BUCKET/ or s3://BUCKET/PREFIX/")
    try:
        count = upload(boto3.client("s3"), folder, found[1], found[2])
    except UnknownType as error:
        refuse(str(error))
    people.print(f"{count} files are at {target}")


if __name__ == "__main__":
    typer.run(main)
