"""What does it cost to bring files into a bucket and back: 1 GiB, and 5,000 of 16 KiB? On SeaweedFS, over loopback.

Must: CPU at most 1.2 x bare obstore, at most 0.6 x boto3, and ahead of the aws command line and rclone (CPU and wall).
Whole processes are measured, the libraries with credentials from boto3's chain and eight threads for the small files.
Ours hashes every byte, has S3 verify a checksum and keeps the digest with the object; bare obstore does neither, and
`obstore + sha256` is what doing so with obstore and hashlib costs. A peak below 65 MiB is not seen: it is the bench's own.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.installed import installed, program
from bench.measure import Cost, cost, in_turn, table
from bench.s3_peers import BUCKET, SMALL
from landbridge.twin.seaweed import Config, Seaweed, make_bucket

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LARGE, COUNT = 1 << 30, 5_000
RUNS = 3
OURS = "landbridge"
WORKS = {
    "large up": "1 GiB up",
    "large down": "1 GiB down",
    "small up": "5,000 x 16 KiB up",
    "small down": "5,000 x 16 KiB down",
}


def main(asked: Sequence[str] | None = None) -> None:
    """Measure every work by every peer that is installed."""
    parser = argparse.ArgumentParser(prog="python -m bench.s3")
    parser.add_argument("works", nargs="*", metavar="WORK", help=", ".join(WORKS))
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--only", nargs="*", metavar="PEER", help="these peers")
    options = parser.parse_args(asked)
    print(__doc__)
    print(f"Runs counted of each, after one that is not: {options.runs}.")
    folder = Path(tempfile.mkdtemp(prefix="landbridge-bench-"))
    try:
        _make_files(folder)
        with Seaweed.start(Config(folder / "server")) as server:
            make_bucket(server.client(), BUCKET, server.config.region)
            environment = _environment(server, folder)
            for work in options.works or WORKS:
                peers = _peers(work, folder, environment)
                asked_for = {
                    name: run for name, run in peers.items() if not options.only or name in options.only
                }
                print(f"\n### {WORKS[work]}\n")
                took = in_turn(asked_for, options.runs)
                print(table(took, OURS))
                if work == "large down":
                    print(_floor(folder / "large", took))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _floor(large: Path, took: dict[str, Cost]) -> str:
    """Say what the promise costs at the least: SHA-256 over the file, on top of what each library takes without it."""
    began = time.process_time()
    with large.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    hashing = time.process_time() - began
    least = ", ".join(
        f"{(took[name].cpu + hashing) / took[name].cpu:.2f} x {name}"
        for name in ("bare obstore", "boto3")
        if name in took
    )
    return (
        f"\nReading the file again and SHA-256 over it take {hashing:.2f} s of CPU here. Who downloads as cheaply as they do "
        f"and hashes comes to {least}: a limit below that is out of reach for a download that is verified."
    )


def _make_files(folder: Path) -> None:
    (folder / "small").mkdir()
    seed, digests = random.Random(1), []
    whole = hashlib.sha256()
    with (folder / "large").open("wb") as file:
        for _ in range(LARGE >> 20):
            block = seed.randbytes(1 << 20)
            whole.update(block)
            file.write(block)
    digests.append(f"large {whole.hexdigest()}")
    for number in range(COUNT):
        body = seed.randbytes(SMALL)
        (folder / "small" / f"{number:04d}").write_bytes(body)
        digests.append(f"{number:04d} {hashlib.sha256(body).hexdigest()}")
    (folder / "sha256").write_text("\n".join(digests))


def _environment(server: Seaweed, folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "AWS_ACCESS_KEY_ID": server.admin.access_key,
        "AWS_SECRET_ACCESS_KEY": server.admin.secret_key,
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_REGION": server.config.region,
        "AWS_DEFAULT_REGION": server.config.region,
        "RCLONE_CONFIG_S_TYPE": "s3",
        "RCLONE_CONFIG_S_PROVIDER": "SeaweedFS",
        "RCLONE_CONFIG_S_ENV_AUTH": "true",
        "RCLONE_CONFIG_S_ENDPOINT": server.endpoint,
        "RCLONE_CONFIG_S_REGION": server.config.region,
    }


def _peers(work: str, folder: Path, environment: dict[str, str]) -> dict[str, Callable[[], Cost]]:
    came = folder / "came"

    def run(*command: str | Path) -> Callable[[], Cost]:
        def once() -> Cost:
            shutil.rmtree(came, ignore_errors=True)
            came.mkdir()
            return cost(command, env=environment)

        return once

    names = {
        OURS: "landbridge",
        "bare obstore": "obstore",
        "obstore + sha256": "obstore-hashed",
        "boto3": "boto3",
    }
    peers = {
        label: run(sys.executable, "-m", "bench.s3_peers", name, work, folder)
        for label, name in names.items()
    }
    here, there = _ends(work, folder)
    up = work.endswith("up")
    many = ["--recursive"] if work.startswith("small") else []
    ends: list[str | Path] = [here, f"s3://{there}"] if up else [f"s3://{there}", here]
    peers["aws s3 cp"] = run(program("aws") or "aws", "s3", "cp", "--only-show-errors", *many, *ends)
    verb = "copy" if work.startswith("small") else "copyto"
    ends = [here, f"s:{there}"] if up else [f"s:{there}", here]
    peers["rclone"] = run(
        "rclone", verb, "--ignore-times", "--no-traverse", "--transfers=8", "--s3-no-check-bucket", *ends
    )
    return installed(peers, {"aws s3 cp": "aws", "rclone": "rclone"})


def _ends(work: str, folder: Path) -> tuple[Path, str]:
    match work:
        case "large up":
            return folder / "large", f"{BUCKET}/large"
        case "large down":
            return folder / "came" / "large", f"{BUCKET}/large"
        case "small up":
            return folder / "small", f"{BUCKET}/small"
        case "small down":
            return folder / "came", f"{BUCKET}/small"
        case _:
            raise ValueError(work)


if __name__ == "__main__":
    main()
