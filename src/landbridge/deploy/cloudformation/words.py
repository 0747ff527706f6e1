"""What does an environment need, said in CloudFormation's words instead of names, so that all environments say the same?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from landbridge.deploy.needs import needs
from landbridge.project import Buckets, place

if TYPE_CHECKING:
    from landbridge.deploy.needs import Needs
    from landbridge.project import Declaration

STAGING, REPORTS, LEDGER = "${StagingBucket}", "${ReportsBucket}", "${LedgerBucket}"
LEDGER_PREFIX = "${LedgerPrefix}"
"""Ends in `/` or is empty, other than the declared prefix, to which `needs` adds the `/`."""
USER = "${SftpUserName}"
KEPT_BY_KEYS = ("${SecretName}", "${HostSecretName}")
"""The secrets that `landbridge keys` makes: the SFTP user's private key, and the server's."""


def needs_in_words(declaration: Declaration, environment: str, *, feeds: bool) -> Needs:
    """Derive the needs with parameters of the templates in the place of names; without `feeds`, what is there before any feed.

    Raises:
        KeyError: no such environment.
    """
    own = declaration.project.environments[environment]
    where = place(declaration.project, environment)
    worded = own.model_copy(
        update={
            "region": "${AWS::Region}",
            "buckets": Buckets.model_construct(
                staging=STAGING,
                reports=REPORTS,
                ledger=LEDGER,
                ledger_prefix=LEDGER_PREFIX,
                endpoint=None,
            ),
            "sftp": where.sftp.model_copy(update={"user": USER}),
        }
    )
    environments = {**declaration.project.environments, environment: worded}
    project = declaration.project.model_copy(update={"environments": environments})
    return needs(replace(declaration, project=project, feeds=declaration.feeds if feeds else {}), environment)


def kept_by_keys(needs: Needs) -> tuple[str, ...]:
    """Name the secrets that `landbridge keys` makes, in the order of KEPT_BY_KEYS."""
    return tuple(secret.name for secret in needs.secrets if secret.made_by == "landbridge keys")


def sub(text: str, needs: Needs) -> str:
    """Give a text of `needs_in_words` as `Fn::Sub` wants it."""
    for secret, word in zip(kept_by_keys(needs), KEPT_BY_KEYS, strict=True):
        text = text.replace(secret, word)
    text = text.replace(f"{LEDGER_PREFIX}/", LEDGER_PREFIX).replace("arn:aws:", "arn:${AWS::Partition}:")
    return text.replace("${AWS::Region}.amazonaws.com", "${AWS::Region}.${AWS::URLSuffix}")
