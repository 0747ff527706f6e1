"""The key, the buckets, their policies, the topic: what must be true of them, and how each could be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landbridge.naming import CANARY, DRAFTS, OUTBOUND, QUARANTINE, RECEIPTS, WATCH
from tests.deploy.cfn.asking import denied
from tests.deploy.cfn.claims import (
    Claim,
    edit,
    in_statement,
    more_statement,
    no_statement,
    props,
    put,
    statement,
    without,
)
from tests.deploy.cfn.reading import ACCOUNT
from tests.deploy.cfn.variants import ADOPT, EIDV, EVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.deploy.cfn.claims import Break
    from tests.deploy.cfn.reading import Made

BUCKETS = ("StagingBucket", "ReportsBucket", "LedgerBucket")
_DENY_VPCE = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
}
_FLAGS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_SSE = {"s3__x_amz_server_side_encryption": "aws:kms"}
_KEY_ID = "s3__x_amz_server_side_encryption_aws_kms_key_id"


def claims() -> Iterator[Claim]:
    yield from _key()
    for bucket in BUCKETS:
        yield from _any_bucket(bucket)
    yield from _lifecycles()
    yield from _created_once()
    yield from _object_lock()
    yield from _access_logs()
    yield from _topic()
    yield from _adoption()


def _claim(name: str, holds: Callable[[Made], bool], *breaks: Break, variant: str = EIDV) -> Claim:
    return Claim(name, "storage", variant, holds, breaks)


def _retained(logical: str) -> Claim:
    return _claim(
        f"{logical} outlives its stack, but not a creation that failed",
        lambda made: (
            made.resources[logical]["DeletionPolicy"] == "RetainExceptOnCreate"
            and made.resources[logical]["UpdateReplacePolicy"] == "Retain"
        ),
        without("Resources", logical, "DeletionPolicy"),
        without("Resources", logical, "UpdateReplacePolicy"),
        put("Delete", "Resources", logical, "DeletionPolicy"),
        put("Retain", "Resources", logical, "DeletionPolicy"),
    )


def _key() -> Iterator[Claim]:
    yield _claim(
        "the key is rotated",
        lambda made: made.at("Key", "EnableKeyRotation") is True,
        without(*props("Key", "EnableKeyRotation")),
        put(False, *props("Key", "EnableKeyRotation")),
    )
    yield _claim(
        "the account's IAM policies decide about the key",
        lambda made: (
            made.said("Key", "Account")["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
            and made.said("Key", "Account")["Action"] == "kms:*"
        ),
        no_statement("Key", "Account"),
        in_statement("Key", "Account", "Principal", {"AWS": "*"}),
    )
    yield _claim(
        "the key encrypts the server's log group and no other",
        lambda made: (
            made.said("Key", "ServerLog")["Condition"]
            == {
                "ArnEquals": {
                    "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:eu-west-2:{ACCOUNT}:log-group:/aws/transfer/landbridge-eidv-prd"
                }
            }
            and made.said("Key", "ServerLog")["Principal"] == {"Service": "logs.eu-west-2.amazonaws.com"}
        ),
        no_statement("Key", "ServerLog"),
        in_statement("Key", "ServerLog", "Condition", None),
    )
    yield _claim(
        "CloudWatch and EventBridge may use the key for the encrypted topic, with no condition that EventBridge lacks",
        lambda made: (
            set(made.said("Key", "Alarms")["Principal"]["Service"])
            == {"cloudwatch.amazonaws.com", "events.amazonaws.com"}
            and set(made.said("Key", "Alarms")["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey*"}
            and "Condition" not in made.said("Key", "Alarms")
        ),
        no_statement("Key", "Alarms"),
        in_statement("Key", "Alarms", "Principal", {"Service": ["cloudwatch.amazonaws.com"]}),
        edit(
            "a condition on Alarms",
            lambda template: statement(template, "Key", "Alarms").update(
                Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}
            ),
        ),
    )
    yield _claim(
        "whoever reads the private key may decrypt it through Secrets Manager only",
        lambda made: (
            made.said("Key", "KeyReaders")["Principal"]
            == {"AWS": ["arn:aws:iam::210987654321:role/controlm-agent"]}
            and made.said("Key", "KeyReaders")["Action"] == "kms:Decrypt"
            and made.said("Key", "KeyReaders")["Condition"]
            == {"StringEquals": {"kms:ViaService": "secretsmanager.eu-west-2.amazonaws.com"}}
        ),
        edit(
            "no readers",
            lambda template: template["Resources"]["Key"]["Properties"]["KeyPolicy"]["Statement"].pop(),
        ),
        edit("any service", lambda template: _readers(template).pop("Condition")),
        edit("everybody", lambda template: _readers(template).update(Principal="*")),
        variant=EVERY,
    )
    yield _claim(
        "nobody reads the private key where no reader is declared",
        lambda made: made.said("Key", "KeyReaders") == {},
        edit(
            "readers without a condition",
            lambda template: template["Resources"]["Key"]["Properties"]["KeyPolicy"]["Statement"].append(
                _readers(template)
            ),
        ),
    )
    yield _retained("Key")


def _readers(template: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"]["Key"]["Properties"]["KeyPolicy"]["Statement"][-1][
        "Fn::If"
    ][1]
    return found


def _any_bucket(bucket: str) -> Iterator[Claim]:
    encryption = "BucketEncryption", "ServerSideEncryptionConfiguration", 0
    by_default = (*encryption, "ServerSideEncryptionByDefault")
    policy, objects = f"{bucket}Policy", f"arn:aws:s3:::edbh-eidv-prd-{bucket.removesuffix('Bucket').lower()}"
    somewhere = f"{objects}/{RECEIPTS}/x"  # nothing there is created once, except in the ledger
    create = {"s3__if_none_match": "*", "s3__ObjectCreationOperation": "true"}

    def put_denied(made: Made, **context: str) -> bool:
        return denied(made.statements(policy), "s3:PutObject", somewhere, **create | context)

    yield _claim(
        f"{bucket} encrypts with the key by default",
        lambda made: made.at(bucket, *by_default) == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "Key.Arn"},
        without(*props(bucket, "BucketEncryption")),
        put("AES256", *props(bucket, *by_default, "SSEAlgorithm")),
        without(*props(bucket, *by_default, "KMSMasterKeyID")),
    )
    yield _claim(
        f"{bucket} uses bucket keys",
        lambda made: made.at(bucket, *encryption, "BucketKeyEnabled") is True,
        without(*props(bucket, *encryption, "BucketKeyEnabled")),
        put(False, *props(bucket, *encryption, "BucketKeyEnabled")),
    )
    yield _claim(
        f"{bucket} blocks public access",
        lambda made: made.at(bucket, "PublicAccessBlockConfiguration") == dict.fromkeys(_FLAGS, True),
        without(*props(bucket, "PublicAccessBlockConfiguration")),
        *(without(*props(bucket, "PublicAccessBlockConfiguration", flag)) for flag in _FLAGS),
        *(put(False, *props(bucket, "PublicAccessBlockConfiguration", flag)) for flag in _FLAGS),
    )
    yield _claim(
        f"{bucket} owns what anybody writes",
        lambda made: (
            made.at(bucket, "OwnershipControls", "Rules") == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        ),
        without(*props(bucket, "OwnershipControls")),
        put("ObjectWriter", *props(bucket, "OwnershipControls", "Rules", 0, "ObjectOwnership")),
    )
    yield _claim(
        f"{bucket} is reached over TLS only, 1.2 or later",
        lambda made: all(
            denied(made.statements(policy), action, resource, **{"aws__SecureTransport": "false"} | old)
            and denied(made.statements(policy), action, resource, s3__TlsVersion="1.1")
            and not denied(made.statements(policy), action, resource)
            for action, resource in (("s3:GetObject", somewhere), ("s3:ListBucket", objects))
            for old in ({}, {"s3__TlsVersion": "1.1"})
        ),
        no_statement(policy, "TlsOnly"),
        no_statement(policy, "NoOldTls"),
        in_statement(policy, "TlsOnly", "Effect", "Allow"),
        in_statement(policy, "TlsOnly", "Action", "s3:GetObject"),
        in_statement(policy, "TlsOnly", "Resource", f"{objects}/*"),
        in_statement(policy, "NoOldTls", "Condition", {"NumericLessThan": {"s3:TlsVersion": "1.1"}}),
    )
    yield _claim(
        f"{bucket} takes a plain put, and refuses any encryption but the key's",
        lambda made: (
            not put_denied(made)
            and not put_denied(made, **_SSE)
            and not put_denied(made, **_SSE, **{_KEY_ID: "Key.Arn"})
            and put_denied(made, s3__x_amz_server_side_encryption="AES256")
            and put_denied(made, **_SSE, **{_KEY_ID: "arn:aws:kms:eu-west-2:1:key/other"})
            and put_denied(made, s3__x_amz_server_side_encryption_customer_algorithm="AES256")
        ),
        no_statement(policy, "NoOtherEncryption"),
        no_statement(policy, "NoOtherKey"),
        no_statement(policy, "NoKeyOfTheCaller"),
        in_statement(  # the bug that a prototype had: an absent key makes it true, so every plain put is denied
            policy,
            "NoOtherEncryption",
            "Condition",
            {"StringNotEqualsIfExists": {"s3:x-amz-server-side-encryption": "aws:kms"}},
        ),
        in_statement(
            policy,
            "NoOtherEncryption",
            "Condition",
            {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}},
        ),
    )
    yield _claim(
        f"{bucket} does not shut Transfer Family out by aws:SourceVpce",
        lambda made: not denied(made.statements(policy), "s3:GetObject", somewhere),
        more_statement(policy, **_DENY_VPCE),
    )
    yield _claim(
        f"{bucket} keeps versions",
        lambda made: made.at(bucket, "VersioningConfiguration", "Status") == "Enabled",
        without(*props(bucket, "VersioningConfiguration")),
        put("Suspended", *props(bucket, "VersioningConfiguration", "Status")),
    )
    yield _claim(
        f"{bucket} tells EventBridge",
        lambda made: (
            made.at(bucket, "NotificationConfiguration", "EventBridgeConfiguration", "EventBridgeEnabled")
            is True
        ),
        without(*props(bucket, "NotificationConfiguration")),
    )
    yield _claim(
        f"{bucket} logs who reads and writes",
        lambda made: (
            made.at(bucket, "LoggingConfiguration")
            == {
                "DestinationBucketName": "edbh-eidv-prd-reports-logs",
                "LogFilePrefix": f"{objects.removeprefix('arn:aws:s3:::')}/",
            }
        ),
        without(*props(bucket, "LoggingConfiguration")),
        put({"Ref": "StagingBucketName"}, *props(bucket, "LoggingConfiguration", "DestinationBucketName")),
    )
    yield _claim(
        f"{bucket} gives up on unfinished uploads",
        lambda made: any(
            rule.get("AbortIncompleteMultipartUpload") == {"DaysAfterInitiation": 2}
            and rule["Status"] == "Enabled"
            for rule in made.at(bucket, "LifecycleConfiguration", "Rules")
        ),
        without(*props(bucket, "LifecycleConfiguration")),
        edit("no such rule", lambda template: _rules(template, bucket).pop()),
        edit("not enabled", lambda template: _rules(template, bucket)[-1].update(Status="Disabled")),
    )
    yield _claim(
        f"{bucket} is named by a parameter",
        lambda made: made.at(bucket, "BucketName") == objects.removeprefix("arn:aws:s3:::"),
        without(*props(bucket, "BucketName")),
    )
    yield _retained(bucket)
    yield _retained(policy)  # it goes on to guard what is kept


def _rules(template: dict[str, Any], bucket: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = template["Resources"][bucket]["Properties"]["LifecycleConfiguration"][
        "Rules"
    ]
    return found


def _days(made: Made, bucket: str, key: str, *, noncurrent: bool = False) -> set[int]:
    """After how many days does the lifecycle remove this key, or its replaced versions?"""
    found = set()
    for rule in made.at(bucket, "LifecycleConfiguration", "Rules"):
        if rule["Status"] != "Enabled" or not key.startswith(rule.get("Prefix", "")):
            continue
        days = (
            rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays")
            if noncurrent
            else rule.get("ExpirationInDays")
        )
        found |= {int(days)} if days else set()
    return found


def _lifecycles() -> Iterator[Claim]:
    yield _claim(
        "drafts in staging expire, and what is in quarantine does not",
        lambda made: (
            _days(made, "StagingBucket", f"{DRAFTS}/x") == {7}
            and _days(made, "StagingBucket", f"{QUARANTINE}/x") == set()
        ),
        edit("no expiry", lambda template: _rules(template, "StagingBucket").pop(0)),
        edit("of everything", lambda template: _rules(template, "StagingBucket")[0].pop("Prefix")),
        edit("not enabled", lambda template: _rules(template, "StagingBucket")[0].update(Status="Disabled")),
    )
    versions = "NoncurrentVersionExpiration"
    yield _claim(
        "the bytes of a draft, and of what the watch told, are gone as many days after its expiry again, not only marked as deleted",
        lambda made: all(
            min(_days(made, "StagingBucket", f"{prefix}/x", noncurrent=True)) == 7  # of two rules the shorter
            for prefix in (DRAFTS, WATCH)
        ),
        edit("not of drafts", lambda template: _rules(template, "StagingBucket")[0].pop(versions)),
        edit("not of what was told", lambda template: _rules(template, "StagingBucket")[2].pop(versions)),
        put(
            {"Ref": "NoncurrentDays"},
            *props("StagingBucket", "LifecycleConfiguration", "Rules", 0, versions, "NoncurrentDays"),
        ),
    )
    yield _claim(
        "replaced versions expire in staging and below outbound",
        lambda made: (
            _days(made, "StagingBucket", f"{QUARANTINE}/x", noncurrent=True) == {90}
            and _days(made, "ReportsBucket", f"{OUTBOUND}/x", noncurrent=True) == {90}
        ),
        edit("not in staging", lambda template: _rules(template, "StagingBucket").pop(1)),
        edit("not in reports", lambda template: _rules(template, "ReportsBucket").pop(0)),
    )
    yield _claim(
        "no version of a receipt ever expires, nor a released file",
        lambda made: (
            _days(made, "ReportsBucket", f"{RECEIPTS}/x", noncurrent=True) == set()
            and _days(made, "ReportsBucket", f"{RECEIPTS}/x") == set()
            and _days(made, "ReportsBucket", f"{OUTBOUND}/x") == set()
        ),
        edit("of everything", lambda template: _rules(template, "ReportsBucket")[0].pop("Prefix")),
        edit(
            "files expire", lambda template: _rules(template, "ReportsBucket")[0].update(ExpirationInDays=30)
        ),
    )
    yield _claim(
        "canaries and their receipts are forgotten, all versions of them",
        lambda made: all(
            _days(made, "ReportsBucket", f"{prefix}/{CANARY}/x") == {7}
            and 7 in _days(made, "ReportsBucket", f"{prefix}/{CANARY}/x", noncurrent=True)
            for prefix in (OUTBOUND, RECEIPTS)
        ),
        edit("not the canaries", lambda template: _rules(template, "ReportsBucket").pop(1)),
        edit("not the receipts", lambda template: _rules(template, "ReportsBucket").pop(2)),
    )
    yield _claim(
        "nothing in the ledger ever expires",
        lambda made: (
            _days(made, "LedgerBucket", "2026-11-20/x") == set()
            and _days(made, "LedgerBucket", "2026-11-20/x", noncurrent=True) == set()
        ),
        edit("expiry", lambda template: _rules(template, "LedgerBucket")[0].update(ExpirationInDays=3650)),
        edit(
            "versions expire",
            lambda template: _rules(template, "LedgerBucket")[0].update(
                NoncurrentVersionExpiration={"NoncurrentDays": 1}
            ),
        ),
    )


def _once(made: Made, policy: str, key: str, **context: str) -> bool:
    return denied(made.statements(policy), "s3:PutObject", f"arn:aws:s3:::edbh-eidv-prd-{key}", **context)


def _created_once() -> Iterator[Claim]:
    whole, part = {"s3__ObjectCreationOperation": "true"}, {"s3__ObjectCreationOperation": "false"}
    for policy, key in (
        ("ReportsBucketPolicy", f"reports/{OUTBOUND}/x"),
        ("LedgerBucketPolicy", "ledger/2026-11-20/x"),
    ):
        yield _claim(
            f"{policy}: what the protocol creates once needs If-None-Match, the parts of an upload cannot have it",
            lambda made, policy=policy, key=key: (
                _once(made, policy, key, **whole)  # type: ignore[misc]
                and not _once(made, policy, key, **whole, s3__if_none_match="*")
                and not _once(made, policy, key, **part)
            ),
            no_statement(policy, "CreateOnce"),
            in_statement(policy, "CreateOnce", "Effect", "Allow"),
            in_statement(policy, "CreateOnce", "Condition", {"Null": {"s3:if-none-match": "true"}}),
            in_statement(policy, "CreateOnce", "Condition", {"Bool": {"s3:ObjectCreationOperation": "true"}}),
        )
    yield _claim(
        "receipts are spared: Transfer Family writes them without conditions",
        lambda made: not _once(made, "ReportsBucketPolicy", f"reports/{RECEIPTS}/x", **whole),
        in_statement("ReportsBucketPolicy", "CreateOnce", "Resource", {"Fn::Sub": "${ReportsBucket.Arn}/*"}),
    )


def _object_lock() -> Iterator[Claim]:
    yield _claim(
        "evidence is locked where that is declared",
        lambda made: (
            made.at("LedgerBucket", "ObjectLockEnabled") is True
            and made.at("LedgerBucket", "ObjectLockConfiguration")
            == {
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": "2557"}},
            }
        ),
        without(*props("LedgerBucket", "ObjectLockEnabled")),
        without(*props("LedgerBucket", "ObjectLockConfiguration")),
        variant=EVERY,
    )
    yield _claim(
        "and nowhere else",
        lambda made: all(made.at(bucket, "ObjectLockEnabled") is None for bucket in BUCKETS),
        put(True, *props("LedgerBucket", "ObjectLockEnabled")),
        put(True, *props("StagingBucket", "ObjectLockEnabled")),
    )


def _access_logs() -> Iterator[Claim]:
    policy = "AccessLogBucketPolicy"
    yield _claim(
        "access logs are delivered by S3, for these buckets of this account",
        lambda made: (
            made.said(policy, "Deliver")["Principal"] == {"Service": "logging.s3.amazonaws.com"}
            and made.said(policy, "Deliver")["Action"] == "s3:PutObject"
            and made.said(policy, "Deliver")["Condition"]
            == {
                "StringEquals": {"aws:SourceAccount": ACCOUNT},
                "ArnEquals": {
                    "aws:SourceArn": [
                        f"arn:aws:s3:::edbh-eidv-prd-{name}" for name in ("staging", "reports", "ledger")
                    ]
                },
            }
        ),
        no_statement(policy, "Deliver"),
        in_statement(policy, "Deliver", "Condition", None),
        in_statement(policy, "Deliver", "Principal", {"Service": "s3.amazonaws.com"}),
    )
    yield _claim(
        "their bucket is private, over TLS, encrypted with S3's own key (S3 delivers to no other), and forgets",
        lambda made: (
            made.at("AccessLogBucket", "PublicAccessBlockConfiguration") == dict.fromkeys(_FLAGS, True)
            and made.at("AccessLogBucket", "OwnershipControls", "Rules", 0, "ObjectOwnership")
            == "BucketOwnerEnforced"
            and made.at(
                "AccessLogBucket",
                "BucketEncryption",
                "ServerSideEncryptionConfiguration",
                0,
                "ServerSideEncryptionByDefault",
            )
            == {"SSEAlgorithm": "AES256"}
            and denied(
                made.statements(policy),
                "s3:GetObject",
                "arn:aws:s3:::edbh-eidv-prd-reports-logs/x",
                aws__SecureTransport="false",
            )
            and _days(made, "AccessLogBucket", "x") == {400}
        ),
        without(*props("AccessLogBucket", "PublicAccessBlockConfiguration")),
        without(*props("AccessLogBucket", "OwnershipControls")),
        without(*props("AccessLogBucket", "BucketEncryption")),
        no_statement(policy, "TlsOnly"),
        without(*props("AccessLogBucket", "LifecycleConfiguration")),
    )
    yield _retained("AccessLogBucket")
    yield _retained(policy)


def _topic() -> Iterator[Claim]:
    yield _claim(
        "alarms are encrypted on their way",
        lambda made: made.at("AlarmTopic", "KmsMasterKeyId") == "Key.Arn",
        without(*props("AlarmTopic", "KmsMasterKeyId")),
    )
    yield _claim(
        "CloudWatch of this account and EventBridge publish alarms, nobody else by the topic's policy",
        lambda made: (
            {one["Principal"]["Service"] for one in made.statements("AlarmTopicPolicy")}
            == {"cloudwatch.amazonaws.com", "events.amazonaws.com"}
            and made.said("AlarmTopicPolicy", "Alarms")["Condition"]
            == {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:eu-west-2:{ACCOUNT}:alarm:*"}}
            and "Condition" not in made.said("AlarmTopicPolicy", "Events")
            and {one["Action"] for one in made.statements("AlarmTopicPolicy")} == {"sns:Publish"}
        ),
        no_statement("AlarmTopicPolicy", "Alarms"),
        no_statement("AlarmTopicPolicy", "Events"),
        in_statement("AlarmTopicPolicy", "Alarms", "Condition", None),
        more_statement("AlarmTopicPolicy", Effect="Allow", Principal="*", Action="sns:Publish", Resource="*"),
    )
    yield _claim(
        "each declared address is told",
        lambda made: (
            [one["Properties"]["Endpoint"] for one in made.of("AWS::SNS::Subscription").values()]
            == ["ops@example.org", "owner@example.org"]
            and {one["Properties"]["Protocol"] for one in made.of("AWS::SNS::Subscription").values()}
            == {"email"}
        ),
        without("Resources", "AlarmMail2Subscription"),
        put("email-json", *props("AlarmMail1Subscription", "Protocol")),
        variant=EVERY,
    )


def _adoption() -> Iterator[Claim]:
    yield _claim(
        "what is adopted is not made, nor are its policies touched; its names are handed on",
        lambda made: (
            set(made.resources) == {"Nothing"}
            and made.outputs
            == {
                "KeyArn": "arn:aws:kms:eu-west-2:123456789012:key/11111111-2222-3333-4444-555555555555",
                "AlarmTopicArn": "arn:aws:sns:eu-west-2:123456789012:landbridge-alarms",
                "StagingBucket": "theirs-staging",
                "ReportsBucket": "theirs-reports",
                "LedgerBucket": "theirs-reports",
            }
        ),
        *(
            without("Resources", name, "Condition")
            for name in (
                "Key",
                "KeyAlias",
                "AlarmTopic",
                "AccessLogBucket",
                *BUCKETS,
                *(f"{b}Policy" for b in BUCKETS),
            )
        ),
        variant=ADOPT,
    )
