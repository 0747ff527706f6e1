"""Is every trap of AWS that is known to have caught somebody named by a test, and avoided?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from landbridge.deploy.stack import ORDER
from tests.deploy.cfn.asking import allowed
from tests.deploy.cfn.other_claims import claims as other_claims
from tests.deploy.cfn.storage_claims import claims as storage_claims
from tests.deploy.cfn.variants import EIDV, EVERY, OUTPUTS, VARIANTS, made, rendered

if TYPE_CHECKING:
    from landbridge.deploy.stack import Kind

PODS_AND_USER: tuple[tuple[str, Kind], ...] = (("PodPolicy", "identity"), ("UserPolicy", "sftp-user"))

CLAIMS = {claim.name for claim in (*storage_claims(), *other_claims())}

BY_CLAIM = {
    "Deny with StringNotEqualsIfExists on the SSE header denies every plain put, Transfer's too": "ReportsBucket takes a plain put, and refuses any encryption but the key's",
    "a bucket policy that denies by aws:SourceVpce shuts Transfer Family out": "ReportsBucket does not shut Transfer Family out by aws:SourceVpce",
    "a policy that demands conditional writes must spare receipts": "receipts are spared: Transfer Family writes them without conditions",
    "and the parts of a multipart upload": "ReportsBucketPolicy: what the protocol creates once needs If-None-Match, the parts of an upload cannot have it",
    "EndpointType VPC_ENDPOINT is closed to new accounts": "the endpoint is in the VPC",
    "an Elastic IP faces the internet": "it has private addresses only",
    "security groups cannot be changed through UpdateServer": "the security group itself never changes, only its rules: Transfer Family takes no other group later",
    "CloudFormation's default security policy is from 2018": "its security policy is said: CloudFormation's default is of 2018",
    "clients that set times fail without SetStatOption": "SETSTAT is ignored",
    "DirectoryListingOptimization is off by default through the API": "listings are optimised, which the API leaves off",
    "Transfer Family's trust without SourceAccount and SourceArn serves other accounts": "Transfer Family takes the role for users of this server of this account only",
    "condition keys cannot hold intrinsics": "PodRole is for one service account's tokens for STS, and no others",
    "a logical home needs a mapping a folder": "the user's world is two folders",
    "deleting after pickup is not the default": "the user of eidv-prd reads what is released, adds and reads receipts, and never deletes one",
    "an encrypted topic is silent without the key for CloudWatch and EventBridge": "CloudWatch and EventBridge may use the key for the encrypted topic, with no condition that EventBridge lacks",
    "an encrypted log group needs the key's policy": "the key encrypts the server's log group and no other",
    "object lock can be chosen only before the bucket exists": "evidence is locked where that is declared",
    "a lifecycle of the whole reports bucket forgets receipts": "no version of a receipt ever expires, nor a released file",
    "a secret's value in a template is seen by everybody who may read one": "the private key's place is empty, encrypted with the key, and outlives its stack",
    "a host key in a template, too": "its host key is in no template",
}


@pytest.mark.parametrize("trap", BY_CLAIM)
def test_the_trap_is_held_by_a_claim(trap: str) -> None:
    assert BY_CLAIM[trap] in CLAIMS


def _through_s3(action: str, logical: str, kind: Kind, variant: str = EIDV) -> bool:
    there = made(variant, kind)
    said = there.statements(logical)
    return allowed(said, action, OUTPUTS["KeyArn"], kms__ViaService="s3.eu-west-2.amazonaws.com")


def test_a_multipart_upload_to_kms_needs_decrypt_as_well() -> None:
    for logical, kind in PODS_AND_USER:
        assert _through_s3("kms:Decrypt", logical, kind)
        assert _through_s3("kms:GenerateDataKey", logical, kind)
    assert _through_s3("kms:Decrypt", "OperatorPolicy", "identity")
    assert not _through_s3("kms:GenerateDataKey", "OperatorPolicy", "identity")


def test_head_needs_get_object_where_the_pod_promotes() -> None:
    said = made(EIDV, "identity").statements("PodPolicy")
    assert allowed(said, "s3:GetObject", "arn:aws:s3:::edbh-eidv-prd-reports/outbound/x")
    assert not allowed(said, "s3:GetObject", "arn:aws:s3:::edbh-eidv-prd-reports/receipts/x")


def test_without_list_bucket_a_missing_key_answers_403_so_the_pod_has_it_below_its_prefixes() -> None:
    said = made(EIDV, "identity").statements("PodPolicy")
    bucket = "arn:aws:s3:::edbh-eidv-prd-reports"
    assert allowed(said, "s3:ListBucket", bucket, s3__prefix="outbound/x")
    assert not allowed(said, "s3:ListBucket", bucket, s3__prefix="receipts/x")
    assert not allowed(said, "s3:ListBucket", bucket)


def test_list_bucket_is_said_of_buckets_and_never_of_objects() -> None:
    for variant in VARIANTS:
        for kind in ("identity", "sftp-user"):
            text = str(made(variant, kind).resources)
            assert "s3:ListBucket" in text
            for found in re.findall(r"'Action': \['s3:ListBucket[^\]]*\], 'Resource': \[([^\]]*)\]", text):
                assert "/" not in found


def test_bucket_keys_make_the_encryption_context_the_bucket_so_no_policy_names_an_object() -> None:
    for variant in VARIANTS:
        for kind in ("identity", "sftp-user"):
            assert "kms:EncryptionContext" not in str(made(variant, kind).resources)


def test_no_map_key_holds_an_intrinsic() -> None:
    for stack in rendered(EVERY).values():
        keys = re.findall(r"^\s*\"?([^\s\"#]*\$\{[^\s\"]*)\"?:\s", stack.template, re.MULTILINE)
        assert [key for key in keys if "OidcIssuer" not in key] == []


def test_managed_workflows_are_not_used() -> None:
    assert made(EVERY, "sftp").at("Server", "WorkflowDetails") is None


def test_no_secret_is_in_anything_that_is_rendered() -> None:
    for variant in VARIANTS:
        for kind in ORDER:
            text = rendered(variant)[kind].template + str(rendered(variant)[kind].parameters)
            assert not re.search(r"BEGIN [A-Z ]*PRIVATE|SecretString|HostKeyBody", text)
