"""What does a deployer leave behind that dies at its Nth call of AWS? `python -m tests.deploy.killed NAME`.

One process loads the libraries; each death is that of a child of its own, when the call is answered and before anything
is made of the answer: that it dies a moment later, before the next call, is the same to AWS. After each death a second
run must converge. The endpoint and credentials come from the environment (Ministack.environment). Prints how many died.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
from typing import Any

import boto3

from landbridge.deploy.aws.account import Account
from landbridge.deploy.aws.applying import Applied, apply
from landbridge.deploy.aws.destroying import destroy, survey
from landbridge.deploy.aws.planning import plan
from landbridge.deploy.aws.reading import read
from tests.deploy.small import STORAGE, Ear, stacks
from tests.servers.ministack import ACCOUNT, REGION


class Death:
    """Ends this process with SIGKILL when its Nth call is answered."""

    def __init__(self, at: int) -> None:
        self.left = at

    def answered(self, **_: Any) -> None:
        """Count a call."""
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _account() -> Account:
    session = boto3.Session(region_name=REGION)
    clients: Any = {name: session.client(name) for name in ("cloudformation", "sts", "s3")}
    return Account(ACCOUNT, pause=lambda seconds: time.sleep(min(seconds, 0.02)), **clients)


def _run(name: str, where: Account) -> None:
    """Create, change, destroy."""
    where.prove()
    for declared in (stacks(name), stacks(name, storage=STORAGE.replace("key of", "the key of"))):
        for _ in range(3):
            steps = plan(where, declared, Ear())
            approved = {step.stack.name: step.digest for step in steps}
            if isinstance(apply(where, declared, approved, (), Ear()), Applied):
                break
        assert all(each.well for each in read(where, declared))
    destroy(where, survey(where, declared, Ear()), Ear())


def _dies(name: str, death: Death, unused: Account) -> bool:
    """Run in a child, with clients that nobody has used yet; tell whether it died of it."""
    child = os.fork()
    if child == 0:
        for client in (unused.cloudformation, unused.sts, unused.s3):
            client.meta.events.register("after-call", death.answered)
        _run(name, unused)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in {0, -signal.SIGKILL}, code
    return code != 0


def main(name: str) -> int:
    """Die at each call of a run and converge after it; give how many calls there were."""
    unused, where = _account(), _account()
    for at in itertools.count(1):
        mine = f"{name}-{at}"
        if not _dies(mine, Death(at), unused):
            return at - 1
        _converge(mine, where)
    raise AssertionError("unreachable")


def _converge(name: str, where: Account) -> None:
    """Run again until the end; a bucket that an ended run has kept is given back first, or its name would be taken."""
    if not survey(where, stacks(name), Ear()).stacks:
        kept = [bucket["Name"] for bucket in where.s3.list_buckets()["Buckets"]]
        if name in kept:
            where.s3.delete_bucket(Bucket=name)
    _run(name, where)


if __name__ == "__main__":
    sys.stdout.write(f"{main(sys.argv[1])}\n")
