"""One transfer by one library, as a process of its own: `python -m bench.s3_peers PEER WORK FOLDER`. Started by bench.s3."""

from __future__ import annotations

import hashlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import boto3

if TYPE_CHECKING:
    from collections.abc import Callable

    from obstore.store import S3Store

Work = Literal["large up", "large down", "small up", "small down"]

BUCKET = "bench"
SMALL = 16 << 10
THREADS = 8


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "small").iterdir())


def _each(one: Callable[[str], object], folder: Path) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, _names(folder)))


def landbridge(work: Work, folder: Path) -> None:
    """Do it as a run does: through the store that retries, hashed on the way, with a checksum that S3 verifies.

    Small files go one call each from eight threads, as they do for the other libraries: nothing in the product
    carries many at once, since a slot has one file.
    """
    from landbridge.facts import Content, Location
    from landbridge.stores.retried import Retried
    from landbridge.stores.s3 import S3Store
    from landbridge.stores.s3_account import S3Account

    store = Retried(S3Store(BUCKET, account=S3Account(boto3.Session(), os.environ["AWS_ENDPOINT_URL"])))
    known = dict(line.split() for line in (folder / "sha256").read_text().splitlines())
    came = folder / "came"

    def up(name: str) -> None:
        path = folder / "small" / name
        store.put_file(f"small/{name}", path, Content(SMALL, known[name], 0))

    def down(name: str) -> None:
        if store.fetch(Location(store.name, f"small/{name}"), came / name).sha256 != known[name]:
            raise SystemExit("other bytes came")

    match work:
        case "large up":
            store.put_file(
                "large", folder / "large", Content((folder / "large").stat().st_size, known["large"], 0)
            )
        case "large down":
            if store.fetch(Location(store.name, "large"), came / "large").sha256 != known["large"]:
                raise SystemExit("other bytes came")
        case "small up":
            _each(up, folder)
        case "small down":
            _each(down, folder)


def _bucket(**options: str) -> S3Store:
    from obstore.auth.boto3 import Boto3CredentialProvider
    from obstore.store import S3Store

    return S3Store(
        BUCKET,
        endpoint=os.environ["AWS_ENDPOINT_URL"],
        credential_provider=Boto3CredentialProvider(boto3.Session()),
        client_options={"allow_http": True},
        **options,  # type: ignore[arg-type] # only texts are given
    )


def obstore(work: Work, folder: Path) -> None:
    """Do it with obstore alone: no digest, no checksum."""
    import obstore as ob

    store, came = _bucket(), folder / "came"

    def down(name: str) -> None:
        (came / name).write_bytes(ob.get(store, f"small/{name}").bytes())

    match work:
        case "large up":
            ob.put(store, "large", folder / "large")
        case "large down":
            with (came / "large").open("wb") as file:
                for block in ob.get(store, "large").stream():
                    file.write(block)
        case "small up":
            _each(lambda name: ob.put(store, f"small/{name}", (folder / "small" / name).read_bytes()), folder)
        case "small down":
            _each(down, folder)


def obstore_hashed(work: Work, folder: Path) -> None:
    """Do it with obstore, its SHA-256 checksum, and hashlib over all bytes: the least our promise could cost so."""
    import obstore as ob

    store, came = _bucket(checksum_algorithm="sha256"), folder / "came"
    digest = hashlib.sha256()

    def up(name: str) -> None:
        body = (folder / "small" / name).read_bytes()
        ob.put(store, f"small/{name}", body, attributes={"sha256": hashlib.sha256(body).hexdigest()})

    def down(name: str) -> None:
        body = ob.get(store, f"small/{name}").bytes()
        hashlib.sha256(body).hexdigest()
        (came / name).write_bytes(body)

    match work:
        case "large up":
            with (folder / "large").open("rb") as file:
                while block := file.read(8 << 20):
                    digest.update(block)
            ob.put(store, "large", folder / "large", attributes={"sha256": digest.hexdigest()})
        case "large down":
            with (came / "large").open("wb") as out:
                for block in ob.get(store, "large").stream():
                    out.write(block)
                    digest.update(block)
        case "small up":
            _each(up, folder)
        case "small down":
            _each(down, folder)


def boto(work: Work, folder: Path) -> None:
    """Do it with boto3's managed transfers, and one client in eight threads for the small files."""
    client = boto3.client("s3")
    match work:
        case "large up":
            client.upload_file(str(folder / "large"), BUCKET, "large")
        case "large down":
            client.download_file(BUCKET, "large", str(folder / "came" / "large"))
        case "small up":
            _each(lambda n: client.upload_file(str(folder / "small" / n), BUCKET, f"small/{n}"), folder)
        case "small down":
            _each(lambda n: client.download_file(BUCKET, f"small/{n}", str(folder / "came" / n)), folder)


if __name__ == "__main__":
    peers = {"landbridge": landbridge, "obstore": obstore, "obstore-hashed": obstore_hashed, "boto3": boto}
    peers[sys.argv[1]](cast("Work", sys.argv[2]), Path(sys.argv[3]))
