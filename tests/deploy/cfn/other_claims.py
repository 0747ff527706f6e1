"""Identity, the SFTP server and its user: what must be true of them, and how each could be lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from landbridge.deploy import metrics
from landbridge.deploy.cloudformation.grants import policy_of
from landbridge.deploy.needs import needs
from landbridge.deploy.policy import ACCOUNT as ACCOUNT_WORD
from landbridge.deploy.policy import KEY, SERVER, TOPIC, filled
from tests.deploy.cfn.asking import allowed
from tests.deploy.cfn.claims import (
    Claim,
    edit,
    in_statement,
    more_statement,
    no_statement,
    props,
    put,
    without,
)
from tests.deploy.cfn.reading import ACCOUNT
from tests.deploy.cfn.variants import ADOPT, EIDV, EVERY, OUTPUTS, VARIANTS, declared

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.deploy.cloudformation.grants import Holder
    from landbridge.deploy.stack import Kind
    from tests.deploy.cfn.claims import Break
    from tests.deploy.cfn.reading import Made

_ROLES = ("Pod", "Operator", "Watch", "Reaper")
_STAR = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}


def claims() -> Iterator[Claim]:
    yield from _identity()
    yield from _reach()
    yield from _server()
    yield from _alarms()
    yield from _endpoints()
    yield from _user()
    yield from _private_key()


def needed(variant: str, holder: Holder) -> object:
    """Give a policy as it is derived from the declaration, the words filled with what the variants use."""
    policy = policy_of(needs(declared(variant), VARIANTS[variant]), holder)
    words = {
        KEY: OUTPUTS["KeyArn"],
        TOPIC: OUTPUTS["AlarmTopicArn"],
        SERVER: OUTPUTS["ServerId"],
        ACCOUNT_WORD: ACCOUNT,
    }
    return filled(policy.document(), words)


def _policy(kind: Kind, logical: str, holder: Holder, variant: str, *path: str | int) -> Claim:
    def holds(made: Made) -> bool:
        document = made.at(logical, *path)
        return bool(document["Version"] == "2012-10-17") and _sorted(document) == _sorted(
            needed(variant, holder)
        )

    def all_of_them(template: dict[str, Any]) -> list[dict[str, Any]]:
        found: Any = template["Resources"][logical]["Properties"]
        for step in path:
            found = found[step]
        statements: list[dict[str, Any]] = found["Statement"]
        return statements

    def first(template: dict[str, Any]) -> dict[str, Any]:
        return next(one for one in all_of_them(template) if "Sid" in one)

    breaks = [
        edit("one resource more", lambda template: first(template)["Resource"].append("*")),
        edit("one action more", lambda template: first(template)["Action"].append("s3:DeleteObject")),
        edit("one statement less", lambda template: all_of_them(template).remove(first(template))),
        edit("another effect", lambda template: first(template).update(Effect="Deny")),
    ]
    return Claim(f"{logical} of {variant} is what the needs say, to the letter", kind, variant, holds, breaks)


def _sorted(document: Any) -> list[str]:
    return sorted(json.dumps(one, sort_keys=True) for one in document["Statement"])


def _identity() -> Iterator[Claim]:
    for variant in VARIANTS:
        for role in _ROLES:
            yield _policy("identity", f"{role}Policy", role.lower(), variant, "PolicyDocument")  # type: ignore[arg-type]
    for role, suffix in (("Pod", ""), ("Operator", "-operator"), ("Watch", "-watch"), ("Reaper", "-reaper")):
        yield _irsa(role, f"system:serviceaccount:eidv-reports:landbridge{suffix}")
        yield _pod_identity(role, f"landbridge{suffix}")
    yield Claim(
        "an adopted role is not made; its policy is, for its owner to attach",
        "identity",
        ADOPT,
        lambda made: (
            not made.of("AWS::IAM::Role")
            and all(
                made.outputs[f"{role}RoleArn"].endswith(f"role/theirs-{role.lower()}")
                and made.outputs[f"{role}PolicyArn"] == f"ref:{role}Policy"
                for role in _ROLES
            )
        ),
        [
            *(without("Resources", f"{role}Role", "Condition") for role in _ROLES),
            *(without("Outputs", f"{role}PolicyArn") for role in _ROLES),
            *(put({"Ref": "AdoptPodRoleArn"}, "Outputs", f"{role}RoleArn", "Value") for role in _ROLES[1:]),
        ],
    )
    theirs = {f"{role}Association": f"arn:aws:iam::{ACCOUNT}:role/theirs-{role.lower()}" for role in _ROLES}
    yield Claim(
        "by Pod Identity an adopted role has its association as well: without one no pod could take it",
        "identity",
        ADOPT,
        lambda made: (
            {
                name: one["Properties"]["RoleArn"]
                for name, one in made.of("AWS::EKS::PodIdentityAssociation").items()
            }
            == theirs
        ),
        [
            *(put(f"Create{role}Role", "Resources", f"{role}Association", "Condition") for role in _ROLES),
            *(without(*props(name, "RoleArn")) for name in theirs),
            put({"Ref": "AdoptOperatorRoleArn"}, *props("PodAssociation", "RoleArn")),
        ],
    )
    yield Claim(
        "by IRSA there is no association",
        "identity",
        EIDV,
        lambda made: not made.of("AWS::EKS::PodIdentityAssociation"),
        [without("Resources", f"{role}Association", "Condition") for role in _ROLES],
    )


def _irsa(role: str, subject: str) -> Claim:
    issuer = "oidc.eks.eu-west-2.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"

    def holds(made: Made) -> bool:
        trust = json.loads(made.at(f"{role}Role", "AssumeRolePolicyDocument"))
        (one,) = trust["Statement"]
        return bool(
            one["Effect"] == "Allow"
            and one["Principal"] == {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"}
            and one["Action"] == "sts:AssumeRoleWithWebIdentity"
            and one["Condition"]
            == {"StringEquals": {f"{issuer}:sub": subject, f"{issuer}:aud": "sts.amazonaws.com"}}
        )

    def text(old: str, new: str) -> Break:
        path = ("Resources", f"{role}Role", "Properties", "AssumeRolePolicyDocument", "Fn::If", 1)

        def change(template: dict[str, Any]) -> None:
            holder = template
            for step in path:
                holder = holder[step]  # type: ignore[index]
            assert old in holder["Fn::Sub"]
            holder["Fn::Sub"] = holder["Fn::Sub"].replace(old, new)

        return f"{old} -> {new}", change

    subject_line = f'"${{OidcIssuer}}:sub": "system:serviceaccount:${{Namespace}}:${{{role}ServiceAccount}}",'
    return Claim(
        f"{role}Role is for one service account's tokens for STS, and no others",
        "identity",
        EIDV,
        holds,
        [
            text(subject_line, ""),
            text(f"${{{role}ServiceAccount}}", "*"),
            text(':sub"', ':subject"'),
            text('"${OidcIssuer}:aud": "${TokenAudience}"', '"${OidcIssuer}:azp": "x"'),
            text("StringEquals", "StringLike"),
            text("${OidcProviderArn}", "*"),
        ],
    )


def _pod_identity(role: str, account: str) -> Claim:
    trust = (
        "Resources",
        f"{role}Role",
        "Properties",
        "AssumeRolePolicyDocument",
        "Fn::If",
        2,
        "Statement",
        0,
    )
    expected = {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {
            "StringEquals": {
                "aws:SourceAccount": ACCOUNT,
                "aws:RequestTag/kubernetes-namespace": "reports",
                "aws:RequestTag/kubernetes-service-account": account,
            },
            "ArnEquals": {"aws:SourceArn": f"arn:aws:eks:eu-west-2:{ACCOUNT}:cluster/reports"},
        },
    }
    association = {
        "ClusterName": "reports",
        "Namespace": "reports",
        "ServiceAccount": account,
        "RoleArn": f"{role}Role.Arn",
    }
    return Claim(
        f"{role}Role is for one service account of one cluster, by Pod Identity",
        "identity",
        EVERY,
        lambda made: (
            made.at(f"{role}Role", "AssumeRolePolicyDocument", "Statement") == [expected]
            and made.resources[f"{role}Association"]["Properties"] == association
            and made.at(f"{role}Role", "PermissionsBoundary") == "arn:aws:iam::123456789012:policy/boundary"
        ),
        [
            without(*trust, "Condition", "StringEquals", "aws:RequestTag/kubernetes-service-account"),
            without(*trust, "Condition", "StringEquals", "aws:RequestTag/kubernetes-namespace"),
            without(*trust, "Condition", "ArnEquals"),
            without("Resources", f"{role}Association"),
            without(*props(f"{role}Role", "PermissionsBoundary")),
        ],
    )


def _reach() -> Iterator[Claim]:
    ingress = props("ServerSecurityGroup", "SecurityGroupIngress")
    rule = (*ingress, 0, "Fn::If", 1)
    world = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0", "Description": "x"}
    fixed = {"GroupDescription": "SFTP from the declared Control-M servers", "VpcId": "vpc-0a1b2c3d4e5f60718"}

    def rules(made: Made) -> list[tuple[object, ...]]:
        found = made.at("ServerSecurityGroup", "SecurityGroupIngress")
        assert all(one["Description"] for one in found)
        return [(one["IpProtocol"], one["FromPort"], one["ToPort"], one["CidrIp"]) for one in found]

    for variant, blocks in ((EIDV, ["10.20.30.0/28"]), (EVERY, ["10.20.30.0/28", "10.20.31.4/32"])):
        yield Claim(
            f"port 22 is open to the declared Control-M servers of {variant} and to nothing else",
            "sftp",
            variant,
            lambda made, blocks=blocks: (
                rules(made) == [("tcp", 22, 22, block) for block in blocks]  # type: ignore[misc]
                and made.at("ServerSecurityGroup", "SecurityGroupEgress")
                == [{"IpProtocol": "-1", "CidrIp": "127.0.0.1/32", "Description": "nothing"}]
            ),
            [
                edit(
                    "the world",
                    lambda template: template["Resources"]["ServerSecurityGroup"]["Properties"][
                        "SecurityGroupIngress"
                    ].append(world),
                ),
                put(2222, *rule, "ToPort"),
                put("-1", *rule, "IpProtocol"),
                put("10.0.0.0/8", *rule, "CidrIp"),
                without(*rule, "Description"),
                without(*props("ServerSecurityGroup", "SecurityGroupEgress")),
                without(*ingress, 0),
            ],
        )
    yield Claim(
        "the security group itself never changes, only its rules: Transfer Family takes no other group later",
        "sftp",
        EIDV,
        lambda made: (
            {
                name: value
                for name, value in made.raw["Resources"]["ServerSecurityGroup"]["Properties"].items()
                if name not in {"SecurityGroupIngress", "SecurityGroupEgress"}
            }
            == fixed | {"VpcId": {"Ref": "VpcId"}}
            and made.at("Server", "EndpointDetails", "SecurityGroupIds") == ["ServerSecurityGroup.GroupId"]
        ),
        [
            put({"Fn::Sub": "SFTP of ${Name}"}, *props("ServerSecurityGroup", "GroupDescription")),
            put({"Fn::Sub": "landbridge-${Name}"}, *props("ServerSecurityGroup", "GroupName")),
            without(*props("Server", "EndpointDetails", "SecurityGroupIds")),
        ],
    )


def _server() -> Iterator[Claim]:
    def server(name: str, expected: object, *path: str | int, other: Sequence[object] = ()) -> Claim:
        breaks = [without(*props("Server", *path)), *(put(value, *props("Server", *path)) for value in other)]
        return Claim(name, "sftp", EIDV, lambda made: made.at("Server", *path) == expected, breaks)

    yield server("the endpoint is in the VPC", "VPC", "EndpointType", other=["PUBLIC", "VPC_ENDPOINT"])
    yield server("in the declared VPC", "vpc-0a1b2c3d4e5f60718", "EndpointDetails", "VpcId")
    subnets = ["subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60722"]
    yield server("and its subnets", subnets, "EndpointDetails", "SubnetIds")
    yield Claim(
        "it has private addresses only",
        "sftp",
        EIDV,
        lambda made: made.at("Server", "EndpointDetails", "AddressAllocationIds") is None,
        [put(["eipalloc-1"], *props("Server", "EndpointDetails", "AddressAllocationIds"))],
    )
    yield server("it speaks SFTP only", ["SFTP"], "Protocols", other=[["SFTP", "FTP"]])
    yield server("it keeps its users itself", "SERVICE_MANAGED", "IdentityProviderType")
    yield server("it serves S3", "S3", "Domain", other=["EFS"])
    yield server(
        "its security policy is said: CloudFormation's default is of 2018",
        "TransferSecurityPolicy-2025-03",
        "SecurityPolicyName",
        other=["TransferSecurityPolicy-2018-11"],
    )
    yield Claim(
        "an older security policy can be asked for",
        "sftp",
        EVERY,
        lambda made: made.at("Server", "SecurityPolicyName") == "TransferSecurityPolicy-2024-01",
        [put("TransferSecurityPolicy-2025-03", *props("Server", "SecurityPolicyName"))],
    )
    yield server("SETSTAT is ignored", "ENABLE_NO_OP", "ProtocolDetails", "SetStatOption", other=["DEFAULT"])
    yield server(
        "listings are optimised, which the API leaves off",
        "ENABLED",
        "S3StorageOptions",
        "DirectoryListingOptimization",
        other=["DISABLED"],
    )
    yield server("its log is structured", ["ServerLog.Arn"], "StructuredLogDestinations")
    for logical in (
        "Server",
        "ServerLog",
        "ServerSecurityGroup",
    ):  # AWS deletes no group that the server uses
        yield Claim(
            f"{logical} outlives its stack",
            "sftp",
            EIDV,
            lambda made, logical=logical: (
                made.resources[logical]["DeletionPolicy"] == "RetainExceptOnCreate"  # type: ignore[misc]
                and made.resources[logical]["UpdateReplacePolicy"] == "Retain"
            ),
            [
                without("Resources", logical, "DeletionPolicy"),
                without("Resources", logical, "UpdateReplacePolicy"),
                put("Retain", "Resources", logical, "DeletionPolicy"),
            ],
        )
    yield Claim(
        "its log is where the key's policy says, encrypted, and kept as long as declared",
        "sftp",
        EIDV,
        lambda made: (
            made.resources["ServerLog"]["Properties"]
            == {
                "LogGroupName": "/aws/transfer/landbridge-eidv-prd",
                "RetentionInDays": "400",
                "KmsKeyId": OUTPUTS["KeyArn"],
            }
        ),
        [without(*props("ServerLog", name)) for name in ("LogGroupName", "RetentionInDays", "KmsKeyId")],
    )
    yield Claim(
        "its host key is in no template",
        "sftp",
        EIDV,
        lambda made: (
            not made.of("AWS::Transfer::HostKey") and "HostKey" not in json.dumps(made.raw["Resources"])
        ),
        [put({"Type": "AWS::Transfer::HostKey", "Properties": {"HostKeyBody": "x"}}, "Resources", "HostKey")],
    )
    yield Claim(
        "its name is entered for its fixed addresses",
        "sftp",
        EIDV,
        lambda made: (
            made.resources["ServerName"]["Properties"]
            == {
                "HostedZoneId": "Z0123456789EXAMPLE",
                "Name": "sftp.eidv.prd.example.internal",
                "Type": "A",
                "TTL": "60",
                "ResourceRecords": ["10.64.12.10", "10.64.13.10"],
            }
        ),
        [without("Resources", "ServerName"), put(["10.0.0.1"], *props("ServerName", "ResourceRecords"))],
    )
    yield Claim(
        "an adopted server is not made, nor its group and log; its failed transfers still raise alarms",
        "sftp",
        ADOPT,
        lambda made: (
            set(made.resources) == {"FailedTransferRule", "LateSlotAlarm"}
            and made.outputs == {"ServerId": OUTPUTS["ServerId"]}
            and made.at("FailedTransferRule", "EventPattern", "detail", "server-id") == [OUTPUTS["ServerId"]]
        ),
        [
            without("Resources", name, "Condition")
            for name in ("Server", "ServerSecurityGroup", "ServerLog", "ServerName", "FailedLoginFilter")
        ],
    )


def _alarms() -> Iterator[Claim]:
    def alarm(name: str, logical: str, expected: dict[str, object], *breaks: Break) -> Claim:
        told = expected | {"AlarmActions": [OUTPUTS["AlarmTopicArn"]]}
        return Claim(
            name,
            "sftp",
            EIDV,
            lambda made: {key: made.at(logical, key) for key in told} == told,
            [without("Resources", logical), *(without(*props(logical, key)) for key in told), *breaks],
        )

    yield Claim(
        "a refused log-in is counted in the structured log",
        "sftp",
        EIDV,
        lambda made: (
            made.at("FailedLoginFilter", "FilterPattern") == '{ $.activity-type = "AUTH_FAILURE" }'
            and made.at("FailedLoginFilter", "LogGroupName") == "ref:ServerLog"
            and made.at("FailedLoginFilter", "MetricTransformations", 0, "MetricName") == "FailedLogins"
            and made.at("FailedLoginFilter", "MetricTransformations", 0, "MetricNamespace")
            == "Landbridge/eidv-prd"
        ),
        [
            without("Resources", "FailedLoginFilter"),
            put('{ $.activityType = "AUTH_FAILURE" }', *props("FailedLoginFilter", "FilterPattern")),
            put("Other", *props("FailedLoginFilter", "MetricTransformations", 0, "MetricNamespace")),
        ],
    )
    yield alarm(
        "three refused log-ins in five minutes raise an alarm",
        "FailedLoginAlarm",
        {
            "Namespace": "Landbridge/eidv-prd",
            "MetricName": "FailedLogins",
            "Statistic": "Sum",
            "Period": 300,
            "Threshold": "3",
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
        },
    )
    yield Claim(
        "a download or receipt that breaks off raises an alarm",
        "sftp",
        EIDV,
        lambda made: (
            made.at("FailedTransferRule", "EventPattern")
            == {
                "source": ["aws.transfer"],
                "detail-type": ["SFTP Server File Download Failed", "SFTP Server File Upload Failed"],
                "detail": {"server-id": ["Server.ServerId"]},
            }
            and made.at("FailedTransferRule", "Targets", 0, "Arn") == OUTPUTS["AlarmTopicArn"]
        ),
        [
            without("Resources", "FailedTransferRule"),
            put(
                ["SFTP Server File Download Completed"],
                *props("FailedTransferRule", "EventPattern", "detail-type"),
            ),
            without(*props("FailedTransferRule", "EventPattern", "detail")),
            without(*props("FailedTransferRule", "Targets")),
        ],
    )
    yield alarm(
        "a slot past its deadline raises an alarm, and so does a watch that is silent",
        "LateSlotAlarm",
        {
            "Namespace": metrics.NAMESPACE,
            "MetricName": metrics.LATE_SLOTS,
            "Dimensions": [{"Name": metrics.DIMENSION, "Value": "eidv-prd"}],
            "Statistic": "Maximum",
            "Period": 3600,  # twice the longest `watch.every`
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "breaching",
        },
        put("notBreaching", *props("LateSlotAlarm", "TreatMissingData")),
    )


def _endpoints() -> Iterator[Claim]:
    bounded = {
        "Kms": "kms",
        "SecretsManager": "secretsmanager",
        "Transfer": "transfer",
        "Sns": "sns",
        "Monitoring": "monitoring",
    }
    interface = {"Sts": "sts", **bounded}
    names = [f"{name}Endpoint" for name in interface]
    yield Claim(
        "the declared VPC endpoints are made, private and reached by pods and nodes over 443 only",
        "sftp",
        EVERY,
        lambda made: (
            {name: one["Properties"]["ServiceName"] for name, one in made.of("AWS::EC2::VPCEndpoint").items()}
            == {
                f"{name}Endpoint": f"com.amazonaws.eu-west-2.{service}" for name, service in interface.items()
            }
            | {"S3Endpoint": "com.amazonaws.eu-west-2.s3"}
            and made.at("S3Endpoint", "RouteTableIds") == ["rtb-0a1b2c3d4e5f60711", "rtb-0a1b2c3d4e5f60722"]
            and made.at("S3Endpoint", "VpcEndpointType") == "Gateway"
            and all(
                made.at(name, "PrivateDnsEnabled") is True
                and made.at(name, "SecurityGroupIds") == ["EndpointSecurityGroup.GroupId"]
                and made.at(name, "VpcEndpointType") == "Interface"
                for name in names
            )
            and [
                (one["FromPort"], one["ToPort"], one["CidrIp"])
                for one in made.at("EndpointSecurityGroup", "SecurityGroupIngress")
            ]
            == [(443, 443, "10.65.0.0/16"), (443, 443, "10.66.0.0/16")]
        ),
        [
            *(without("Resources", name) for name in (*names, "S3Endpoint")),
            *(without(*props(name, "SecurityGroupIds")) for name in names),
            *(put(False, *props(name, "PrivateDnsEnabled")) for name in names),
            put(0, *props("EndpointSecurityGroup", "SecurityGroupIngress", 0, "Fn::If", 1, "FromPort")),
        ],
    )
    yield Claim(
        "through the endpoints of all but STS and S3, which cannot say so, only this account is reached",
        "sftp",
        EVERY,
        lambda made: (
            all(
                made.statements(f"{name}Endpoint")[0]["Condition"]
                == {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}
                and made.statements(f"{name}Endpoint")[0]["Action"]
                == f"{'cloudwatch' if service == 'monitoring' else service}:*"
                for name, service in bounded.items()
            )
            and all(made.at(name, "PolicyDocument") is None for name in ("StsEndpoint", "S3Endpoint"))
        ),
        [
            *(without(*props(f"{name}Endpoint", "PolicyDocument")) for name in bounded),
            put("monitoring:*", *props("MonitoringEndpoint", "PolicyDocument", "Statement", 0, "Action")),
            put({"Statement": []}, *props("StsEndpoint", "PolicyDocument")),
        ],
    )
    yield Claim(
        "none is made that was not asked for",
        "sftp",
        EIDV,
        lambda made: not made.of("AWS::EC2::VPCEndpoint") and "EndpointSecurityGroup" not in made.resources,
        [without("Resources", name, "Condition") for name in (*names, "S3Endpoint", "EndpointSecurityGroup")],
    )


def _user() -> Iterator[Claim]:
    trust = props("UserRole", "AssumeRolePolicyDocument", "Statement", 0)
    for variant in VARIANTS:
        yield _policy("sftp-user", "UserPolicy", "user", variant, "PolicyDocument")
        yield _policy("sftp-user", "RotatorPolicy", "rotator", variant, "PolicyDocument")
    yield Claim(
        "Transfer Family takes the role for users of this server of this account only",
        "sftp-user",
        EIDV,
        lambda made: (
            made.at("UserRole", "AssumeRolePolicyDocument", "Statement")
            == [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "transfer.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                    "Condition": {
                        "StringEquals": {"aws:SourceAccount": ACCOUNT},
                        "ArnLike": {
                            "aws:SourceArn": f"arn:aws:transfer:eu-west-2:{ACCOUNT}:user/{OUTPUTS['ServerId']}/*"
                        },
                    },
                }
            ]
        ),
        [
            without(*trust, "Condition"),
            without(*trust, "Condition", "StringEquals"),
            without(*trust, "Condition", "ArnLike"),
            put({"AWS": "*"}, *trust, "Principal"),
        ],
    )
    for variant, deletes in ((EIDV, False), (EVERY, True)):
        bucket = f"arn:aws:s3:::{'edbh-eidv-prd' if variant == EIDV else 'acme-every'}-reports"

        def holds(made: Made, bucket: str = bucket, *, deletes: bool = deletes) -> bool:
            said = made.statements("UserPolicy")
            may = {
                (action, prefix): allowed(said, f"s3:{action}Object", f"{bucket}/{prefix}/x")
                for action in ("Get", "Put", "Delete")
                for prefix in ("outbound", "receipts", "else")
            }
            return {key for key, yes in may.items() if yes} == {
                ("Get", "outbound"),
                ("Get", "receipts"),
                ("Put", "receipts"),
                *([("Delete", "outbound")] if deletes else []),
            }

        everything = {"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": f"{bucket}/*"}
        yield Claim(
            f"the user of {variant} reads what is released, adds and reads receipts, and never deletes one",
            "sftp-user",
            variant,
            holds,
            [
                more_statement("UserPolicy", **_STAR),
                more_statement("UserPolicy", **everything),
            ],
        )
    yield Claim(
        "the user's role has its policy, and no other",
        "sftp-user",
        EIDV,
        lambda made: (
            made.at("UserRole", "ManagedPolicyArns") == ["ref:UserPolicy"]
            and made.at("UserRole", "Policies") is None
        ),
        [
            without(*props("UserRole", "ManagedPolicyArns")),
            put({"Ref": "RotatorPolicy"}, *props("UserRole", "ManagedPolicyArns", 0)),
            put([{"PolicyName": "more"}], *props("UserRole", "Policies")),
        ],
    )
    yield Claim(
        "an adopted role of the user is not made but used; its policy is, for its owner to attach",
        "sftp-user",
        ADOPT,
        lambda made: (
            not made.of("AWS::IAM::Role")
            and made.at("User", "Role") == f"arn:aws:iam::{ACCOUNT}:role/theirs-sftp-user"
            and made.outputs["UserRoleArn"] == made.at("User", "Role")
            and made.outputs["UserPolicyArn"] == "ref:UserPolicy"
        ),
        [
            without("Resources", "UserRole", "Condition"),
            put({"Fn::GetAtt": ["UserRole", "Arn"]}, *props("User", "Role")),
            without("Outputs", "UserPolicyArn"),
            put({"Fn::GetAtt": ["UserRole", "Arn"]}, "Outputs", "UserRoleArn", "Value"),
        ],
    )
    mappings = [
        {"Entry": f"/{name}", "Target": f"/edbh-eidv-prd-reports/{name}", "Type": "DIRECTORY"}
        for name in ("outbound", "receipts")
    ]
    yield Claim(
        "the user's world is two folders",
        "sftp-user",
        EIDV,
        lambda made: (
            made.at("User", "HomeDirectoryType") == "LOGICAL"
            and made.at("User", "HomeDirectoryMappings") == mappings
            and made.at("User", "UserName") == "edbh-controlm"
            and made.at("User", "Role") == "UserRole.Arn"
            and made.at("User", "ServerId") == OUTPUTS["ServerId"]
        ),
        [
            put("PATH", *props("User", "HomeDirectoryType")),
            without(*props("User", "HomeDirectoryMappings", 1)),
            put("/", *props("User", "HomeDirectoryMappings", 0, "Entry")),
            without(*props("User", "Role")),
        ],
    )
    yield Claim(
        "the user has no session policy, which ends at 2,048 bytes: its role itself is bound to the two folders",
        "sftp-user",
        EVERY,
        lambda made: made.at("User", "Policy") is None,
        [put("{}", *props("User", "Policy"))],
    )
    yield Claim(
        "public keys that were made elsewhere are the user's",
        "sftp-user",
        EVERY,
        lambda made: (
            made.at("User", "SshPublicKeys")
            == ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfakefakefakefakefakefakefakefakefakefake"]
        ),
        [without(*props("User", "SshPublicKeys"))],
    )
    yield Claim(
        "without any, the template says nothing about keys, so that it never takes one away that Landbridge added",
        "sftp-user",
        EIDV,
        lambda made: made.at("User", "SshPublicKeys") is None,
        [put([], *props("User", "SshPublicKeys"))],
    )
    yield Claim(
        "the user's role has the boundary",
        "sftp-user",
        EVERY,
        lambda made: (
            made.at("UserRole", "PermissionsBoundary") == "arn:aws:iam::123456789012:policy/boundary"
        ),
        [without(*props("UserRole", "PermissionsBoundary"))],
    )


def _private_key() -> Iterator[Claim]:
    yield Claim(
        "the private key's place is empty, encrypted with the key, and outlives its stack",
        "sftp-user",
        EIDV,
        lambda made: (
            set(made.resources["PrivateKey"]["Properties"]) == {"Name", "Description", "KmsKeyId"}
            and made.at("PrivateKey", "KmsKeyId") == OUTPUTS["KeyArn"]
            and made.at("PrivateKey", "Name") == "landbridge/eidv/prd/sftp/edbh-controlm"
            and made.resources["PrivateKey"]["DeletionPolicy"] == "RetainExceptOnCreate"
            and made.resources["PrivateKey"]["UpdateReplacePolicy"] == "Retain"
        ),
        [
            put("-----BEGIN", *props("PrivateKey", "SecretString")),
            put({}, *props("PrivateKey", "GenerateSecretString")),
            without(*props("PrivateKey", "KmsKeyId")),
            without("Resources", "PrivateKey", "DeletionPolicy"),
            put("Retain", "Resources", "PrivateKey", "DeletionPolicy"),
            without("Resources", "PrivateKey", "UpdateReplacePolicy"),
        ],
    )
    yield Claim(
        "the declared readers may read it, and nobody may make it public",
        "sftp-user",
        EVERY,
        lambda made: (
            made.statements("PrivateKeyPolicy")
            == [
                {
                    "Sid": "Read",
                    "Effect": "Allow",
                    "Principal": {"AWS": ["arn:aws:iam::210987654321:role/controlm-agent"]},
                    "Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
                    "Resource": "*",
                }
            ]
            and made.at("PrivateKeyPolicy", "BlockPublicPolicy") is True
        ),
        [
            no_statement("PrivateKeyPolicy", "Read"),
            in_statement("PrivateKeyPolicy", "Read", "Principal", {"AWS": "*"}),
            in_statement("PrivateKeyPolicy", "Read", "Action", "secretsmanager:*"),
            without(*props("PrivateKeyPolicy", "BlockPublicPolicy")),
        ],
    )
    yield Claim(
        "nobody reads it where no reader is declared",
        "sftp-user",
        EIDV,
        lambda made: "PrivateKeyPolicy" not in made.resources,
        [without("Resources", "PrivateKeyPolicy", "Condition")],
    )
