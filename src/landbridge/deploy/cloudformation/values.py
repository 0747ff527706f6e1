"""What does one environment give for the parameters of each stack?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from landbridge.account import Irsa, PodIdentity
from landbridge.deploy.cloudformation.words import kept_by_keys
from landbridge.deploy.mistakes import PROJECT_FILE, in_environment, problem
from landbridge.deploy.partition import partition_of
from landbridge.deploy.stack import Output
from landbridge.errors import DeclarationWrong
from landbridge.project import place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from landbridge.account import Aws
    from landbridge.deploy.needs import Needs
    from landbridge.project import Declaration, Place, Project

_BUCKET_NAME = 63
_ROLE_NAME = 64
_SELDOM = timedelta(minutes=30)
"""Half of the period of the alarm on late slots, so that each period has a look in it."""
_LONGEST = 4096
"""Bytes of a parameter's value. Source: AWS CloudFormation User Guide, "CloudFormation quotas"."""

OF_STORAGE = {
    name: Output("storage", name)
    for name in ("KeyArn", "AlarmTopicArn", "StagingBucket", "ReportsBucket", "LedgerBucket")
}
OF_SFTP = {"ServerId": Output("sftp", "ServerId")}


def declared(declaration: Declaration, environment: str) -> Aws:
    """Give the `aws:` section of an environment, having seen that a template can be made of it.

    Raises:
        KeyError: no such environment.
        DeclarationWrong: there is none, or what it asks for cannot be had; all of it at once, each with its place.
    """
    where = place(declaration.project, environment)
    aws = where.aws
    if aws is None:
        missing = problem(
            declaration.folder,
            PROJECT_FILE,
            f"environments.{where.environment}.aws",
            f"`{where.environment}` has no `aws:` section, so nobody knows where it is deployed to",
            expected="`aws:` with account, vpc, subnets, on_premises and identity, there or for the whole project",
            hint="see examples/eidv/landbridge.yaml",
        )
        raise DeclarationWrong([missing])
    if wrong := [
        in_environment(declaration, environment, path, what, expected=expected)
        for path, what, expected in [
            *_wrong(where, aws),
            *_shared_addresses(declaration.project, environment, aws),
        ]
    ]:
        raise DeclarationWrong(wrong)
    return aws


def _wrong(where: Place, aws: Aws) -> list[tuple[str, str, str]]:
    found = []
    shared = where.buckets.ledger == where.buckets.reports
    if aws.object_lock and (shared or aws.adopt.ledger):
        what = "S3 Object Lock is for a ledger bucket that is created here, and holds nothing else"
        found.append(("aws.object_lock", what, "a ledger bucket of its own, not adopted"))
    found.extend(_elsewhere(where.region, aws))
    if aws.dns and not aws.addresses:
        what = (
            "CloudFormation does not tell the addresses that AWS chooses, so no name can be entered for them"
        )
        found.append(("aws.dns", what, "`addresses`, one a subnet"))
    if aws.dns and ":" in where.sftp.host:
        what = "a name that is entered into Route 53 has to stand in the declaration"
        found.append(("sftp.host", what, "the name itself, not a reference"))
    if _watched(where) and where.watch.every > _SELDOM:
        what = f"every {where.watch.every} is too seldom: the alarm on late slots takes an hour's silence for a dead watch"
        found.append(("watch.every", what, "at most `30m`"))
    longest = f"landbridge-{where.project}-{where.environment.lower()}-sftp-user"
    if len(longest) > _ROLE_NAME:
        what = f"the role `{longest}` would have {len(longest)} characters"
        found.append(("project", what, f"shorter names: IAM takes {_ROLE_NAME} characters"))
    return found


def _elsewhere(region: str, aws: Aws) -> Iterator[tuple[str, str, str]]:
    """Say what does not exist in a region's partition of AWS."""
    there = partition_of(region)
    if not there.has_transfer:
        what = f"`{region}` is in {there.called} (`{there.name}`), where AWS Transfer Family does not exist"
        yield "region", what, "a region with Transfer Family, such as `eu-west-2`"
    named = [each for each in aws.endpoints if each != "s3"]
    if named and not there.plain_endpoints:
        what = f"the names of interface endpoints differ from service to service in {there.called}: {', '.join(named)}"
        yield "aws.endpoints", what, "`s3` at most; the others made by whoever owns the VPC"


def _shared_addresses(project: Project, environment: str, aws: Aws) -> Iterator[tuple[str, str, str]]:
    """Say which addresses another environment of the VPC has as well; two may share those of a server that one of them adopts."""
    for name in project.environments:
        other = place(project, name).aws
        if name == environment or other is None or other.vpc != aws.vpc:
            continue
        shared = [each for each in aws.addresses if each in other.addresses]
        if shared and not aws.adopt.server and not other.adopt.server:
            what = (
                f"{', '.join(shared)} in {aws.vpc} cannot be the server's of `{environment}` and of `{name}`"
            )
            expected = "`aws:` of its own in one of the environments, with other `addresses` or none, or with `adopt.server`"
            yield "aws.addresses", what, expected


def storage(
    needs: Needs, where: Place, aws: Aws, counts: Mapping[str, int], staging_days: int
) -> dict[str, str]:
    """Give the parameters of the storage stack; `counts` says how often the template repeats what repeats."""
    own, adopt = where.buckets, aws.adopt
    return {
        "Name": needs.name,
        "AdoptKeyArn": adopt.key or "",
        "StagingBucketName": own.staging,
        "ReportsBucketName": own.reports,
        "LedgerBucketName": own.ledger,
        "LedgerPrefix": ledger_prefix(where),
        "AccessLogBucketName": access_logs(where, aws),
        "CreateStaging": _flag(not adopt.staging),
        "CreateReports": _flag(not adopt.reports),
        "CreateLedger": _flag(not adopt.ledger and own.ledger != own.reports),
        "CreateAccessLogs": _flag(adopt.access_logs is None),
        "StagingDays": str(staging_days),
        "NoncurrentDays": str(aws.noncurrent_days),
        "AccessLogDays": str(aws.log_days),
        "ObjectLockMode": aws.object_lock.mode if aws.object_lock else "",
        "ObjectLockDays": str(aws.object_lock.days) if aws.object_lock else "1",
        "AdoptTopicArn": adopt.alarm_topic or "",
        "KeyReaders": ",".join(aws.key_readers),
        **_numbered("AlarmMail", aws.alarm_mails, counts["alarm_mails"]),
    }


def identity(needs: Needs, where: Place, aws: Aws) -> dict[str, str]:
    """Give the parameters of the identity stack, those of its policies left out."""
    match aws.identity:
        case Irsa(oidc_provider=provider):
            proof = {
                "IdentityKind": "irsa",
                "OidcProviderArn": provider,
                "OidcIssuer": provider.partition(":oidc-provider/")[2],
                "ClusterName": "none",
            }
        case PodIdentity(cluster=cluster):
            proof = {
                "IdentityKind": "pod_identity",
                "OidcProviderArn": "",
                "OidcIssuer": "",
                "ClusterName": cluster,
            }
        case _:
            assert_never(aws.identity)
    return {
        "Name": needs.name,
        "LedgerPrefix": ledger_prefix(where),
        **proof,
        "Namespace": needs.pod.trust.namespace,
        "PodServiceAccount": needs.pod.trust.service_account,
        "OperatorServiceAccount": needs.operator.trust.service_account,
        "WatchServiceAccount": needs.watch.trust.service_account,
        "ReaperServiceAccount": needs.reaper.trust.service_account,
        "TokenAudience": needs.pod.trust.audience,
        "AdoptPodRoleArn": aws.adopt.pod_role or "",
        "AdoptOperatorRoleArn": aws.adopt.operator_role or "",
        "AdoptWatchRoleArn": aws.adopt.watch_role or "",
        "AdoptReaperRoleArn": aws.adopt.reaper_role or "",
        "PermissionsBoundary": aws.permissions_boundary or "",
    }


def sftp(needs: Needs, where: Place, aws: Aws, counts: Mapping[str, int]) -> dict[str, str]:
    """Give the parameters of the sftp stack; `counts` as for `storage`."""
    return {
        "Name": needs.name,
        "AdoptServerId": aws.adopt.server or "",
        "VpcId": aws.vpc,
        "SubnetIds": ",".join(aws.subnets),
        **_numbered("OnPremisesCidr", aws.on_premises, counts["on_premises"]),
        "SecurityPolicyName": aws.security_policy,
        "LogDays": str(aws.log_days),
        "FailedLogins": "3",
        "HostedZoneId": aws.dns.hosted_zone if aws.dns else "",
        "HostName": where.sftp.host if aws.dns else "",
        "Addresses": ",".join(aws.addresses),
        "WatchTells": _flag(_watched(where)),
        "CreateS3Endpoint": _flag("s3" in aws.endpoints),
        "CreateKmsEndpoint": _flag("kms" in aws.endpoints),
        "CreateStsEndpoint": _flag("sts" in aws.endpoints),
        "CreateSecretsManagerEndpoint": _flag("secretsmanager" in aws.endpoints),
        "CreateTransferEndpoint": _flag("transfer" in aws.endpoints),
        "CreateSnsEndpoint": _flag("sns" in aws.endpoints),
        "CreateMonitoringEndpoint": _flag("monitoring" in aws.endpoints),
        "RouteTableIds": ",".join(aws.route_tables),
        **_numbered("EndpointClientCidr", aws.endpoint_clients, counts["endpoint_clients"]),
    }


def sftp_user(needs: Needs, aws: Aws) -> dict[str, str]:
    """Give the parameters of the sftp-user stack, those of its policies left out."""
    private_key, host_key = kept_by_keys(needs)
    return {
        "Name": needs.name,
        "SftpUserName": needs.sftp.name,
        "SshPublicKeys": ",".join(aws.public_keys),
        "SecretName": private_key,
        "HostSecretName": host_key,
        "KeyReaders": ",".join(aws.key_readers),
        "AdoptUserRoleArn": aws.adopt.sftp_user_role or "",
        "PermissionsBoundary": aws.permissions_boundary or "",
    }


def fitting(declaration: Declaration, environment: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Give the parameters back, having seen that CloudFormation takes them.

    Raises:
        DeclarationWrong: a list is longer than a parameter can be.
    """
    if wrong := [
        problem(
            declaration.folder,
            PROJECT_FILE,
            f"environments.{environment}",
            f"the feeds of this environment need a list of {len(value.encode())} bytes for `{name}`",
            expected=f"at most {_LONGEST}: fewer prefixes, or secrets that share a name's beginning",
        )
        for name, value in parameters.items()
        if len(value.encode()) > _LONGEST
    ]:
        raise DeclarationWrong(wrong)
    return dict(parameters)


def ledger_prefix(where: Place) -> str:
    """Give what begins the ledger's keys, ending in `/`; empty without."""
    prefix = where.buckets.ledger_prefix.strip("/")
    return f"{prefix}/" if prefix else ""


def access_logs(where: Place, aws: Aws) -> str:
    """Name the bucket of the access logs."""
    return aws.adopt.access_logs or f"{where.buckets.reports[: _BUCKET_NAME - 5].rstrip('.-')}-logs"


def _watched(where: Place) -> bool:
    """Tell whether our CronJob watches. Of a watch on another scheduler nobody knows here; an alarm on its silence might never end."""
    return where.kubernetes is not None


def _flag(value: bool) -> str:  # noqa: FBT001 - CloudFormation knows no other
    return "true" if value else "false"


def _numbered(name: str, values: Sequence[str], count: int) -> dict[str, str]:
    """Number them; those that another environment has more of are said to be empty, or an update would keep the old ones."""
    return {f"{name}{number + 1}": values[number] if number < len(values) else "" for number in range(count)}
