"""How does a program become the pod (or the operator), with what a pod on EKS has: a role and a token file?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.errors import NotPermitted, Unavailable

if TYPE_CHECKING:
    import boto3

    from landbridge.twin.state import TwinState, WebIdentity


def session(twin: TwinState, who: WebIdentity) -> boto3.session.Session:
    """Take the role once, and give a boto3 session with its temporary credentials (an hour).

    Raises:
        NotPermitted: the issuer's token, or its subject, is not trusted.
        Unavailable: the server does not answer.
    """
    from botocore import UNSIGNED
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    from landbridge.stores.aws_session import session as begun

    sts = begun().client(
        "sts",
        endpoint_url=twin.endpoint,
        region_name=twin.region,
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 2}),
    )
    try:
        given = sts.assume_role_with_web_identity(
            RoleArn=who.role_arn,
            RoleSessionName=who.session_name,
            WebIdentityToken=who.token_file.read_text(encoding="utf-8"),
        )["Credentials"]
    except ClientError as error:
        raise NotPermitted(
            f"the twin refused the role {who.role_arn}", seen=error.response["Error"].get("Message", "")
        ) from error
    except BotoCoreError as error:
        raise Unavailable(
            f"the twin does not answer at {twin.endpoint}", hint="run `landbridge twin up`"
        ) from error
    return begun(
        twin.region,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
