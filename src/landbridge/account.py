"""Where on AWS does an environment live: network, identity, alarms, and what exists there already?

Read when an environment is deployed; a run or a collection needs none of it.
"""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from landbridge.feed.words import Declared, Text

Arn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{0,12}:.+$")]
"""Amazon Resource Name. Source: AWS General Reference, "Amazon Resource Names"."""


def _cidr(text: str) -> str:
    try:
        network = IPv4Network(text)
    except ValueError as error:
        message = f"expected an IPv4 block such as `10.20.30.0/28` whose host bits are zero, seen `{text}`"
        raise ValueError(message) from error
    if network.prefixlen < _WIDEST:
        message = f"expected a block of at most a /{_WIDEST}: these are the Control-M servers, not a network"
        raise ValueError(message)
    return text


_WIDEST = 16
Cidr = Annotated[str, AfterValidator(_cidr)]
"""An IPv4 block, at most a /16."""


class Irsa(Declared):
    """IAM roles for service accounts: the cluster's OIDC provider vouches for the pod."""

    kind: Literal["irsa"]
    oidc_provider: Annotated[Arn, StringConstraints(pattern=r":oidc-provider/.+")]
    """ARN of the IAM OIDC provider of the cluster."""


class PodIdentity(Declared):
    """EKS Pod Identity: an agent on the node vouches for the pod."""

    kind: Literal["pod_identity"]
    cluster: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$")]
    """Name of the EKS cluster; the `eks-pod-identity-agent` add-on must be installed."""


Identity = Annotated[Irsa | PodIdentity, Field(discriminator="kind")]

PublicKey = Annotated[
    str, StringConstraints(pattern=r"^(ssh-rsa|ssh-ed25519|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+=*$")
]
"""A line of OpenSSH without a comment."""

OwnEndpoint = Literal["s3", "kms", "sts", "secretsmanager", "transfer", "sns", "monitoring"]


class Adopted(Declared):
    """What exists already and is used as it is instead of being created."""

    key: Arn | None = None
    """KMS key (ARN, not an alias); its policy must let the account's IAM policies decide."""
    staging: bool = False
    """The declared staging bucket."""
    reports: bool = False
    """The declared reports bucket."""
    ledger: bool = False
    """The declared ledger bucket."""
    pod_role: Arn | None = None
    """Role of the pods; the policies are attached by whoever owns it."""
    operator_role: Arn | None = None
    """Role of operators and monitoring; as `pod_role`."""
    watch_role: Arn | None = None
    """Role of the scheduled look at all slots; as `pod_role`."""
    reaper_role: Arn | None = None
    """Role of `landbridge reap`; as `pod_role`."""
    sftp_user_role: Arn | None = None
    """Role that Transfer Family takes for the SFTP user; its owner attaches the policy and trusts Transfer Family."""
    server: Annotated[str, StringConstraints(pattern=r"^s-[0-9a-f]{17}$")] | None = None
    """Transfer Family server."""
    alarm_topic: Arn | None = None
    """SNS topic that alarms go to."""
    access_logs: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")] | None = (
        None
    )
    """Bucket that S3 access logs go to; its policy must let `logging.s3.amazonaws.com` write."""


class ObjectLock(Declared):
    """Evidence that nobody can delete before its time (S3 Object Lock on the ledger)."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"] = "GOVERNANCE"
    """`COMPLIANCE` cannot be lifted by anybody, the account's root included."""
    days: Annotated[int, Field(ge=1, le=36_500)]
    """How long from the day of writing."""


class Dns(Declared):
    """A name for the SFTP endpoint in a private Route 53 zone; the name itself is `sftp.host`."""

    hosted_zone: Annotated[str, StringConstraints(pattern=r"^Z[A-Z0-9]{5,31}$")]
    """Id of the zone."""


class Aws(Declared):
    """The AWS account and network of an environment."""

    account: Annotated[str, StringConstraints(pattern=r"^\d{12}$")]
    """Its number; `deploy` refuses credentials of any other."""
    vpc: Annotated[str, StringConstraints(pattern=r"^vpc-[0-9a-f]{8,17}$")]
    """Where the SFTP endpoint stands."""
    subnets: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^subnet-[0-9a-f]{8,17}$")], ...], Field(min_length=1)
    ]
    """Of the endpoint, one an availability zone; private, reached over Direct Connect."""
    addresses: tuple[Annotated[str, StringConstraints(pattern=r"^\d{1,3}(\.\d{1,3}){3}$")], ...] = ()
    """Fixed private addresses of the endpoint, one a subnet; AWS chooses them without."""
    on_premises: Annotated[tuple[Cidr, ...], Field(min_length=1)]
    """The Control-M servers. Port 22 is open to these and to nobody else."""
    identity: Identity
    """How a pod proves who it is."""
    security_policy: Annotated[str, StringConstraints(pattern=r"^TransferSecurityPolicy-[A-Za-z0-9-]+$")] = (
        "TransferSecurityPolicy-2025-03"
    )
    """SSH ciphers of the server; an older one only for clients that cannot do better."""
    dns: Dns | None = None
    """Without it the consumer uses the endpoint's own name."""
    endpoints: tuple[OwnEndpoint, ...] = ()
    """VPC endpoints to create; landing zones often have them already. The watch needs `sns` and `monitoring` (CloudWatch)."""
    route_tables: tuple[Annotated[str, StringConstraints(pattern=r"^rtb-[0-9a-f]{8,17}$")], ...] = ()
    """That the S3 gateway endpoint is entered into; needed with `s3` among `endpoints`."""
    endpoint_clients: tuple[Cidr, ...] = ()
    """Pods and nodes that may use the interface endpoints; needed with any of `endpoints` but `s3`."""
    alarm_mails: tuple[Text, ...] = ()
    """Who is told by mail; each confirms once."""
    log_days: Literal[
        30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
    ] = 400
    """How long CloudWatch keeps the server's log."""
    noncurrent_days: Annotated[int, Field(ge=1, le=3650)] = 90
    """How long replaced versions of objects are kept in staging and reports; those of drafts go after the project's `staging_days`."""
    object_lock: ObjectLock | None = None
    """For the ledger; can only be declared before its bucket exists."""
    sftp_may_delete: bool = False
    """Whether the SFTP user may delete what it has collected; Control-M's plain pickup and our collector never need it."""
    key_readers: tuple[Arn, ...] = ()
    """Principals that may read the SFTP private key from Secrets Manager: the role of the host that Control-M's agent runs on."""
    public_keys: tuple[PublicKey, ...] = ()
    """SSH public keys of the SFTP user whose pairs were made elsewhere, by Control-M for instance; those of `landbridge keys` come by themselves."""
    permissions_boundary: Arn | None = None
    """Put on every role, where the account demands one."""
    tags: dict[
        Annotated[str, StringConstraints(pattern=r"^[\w .:/=+@-]{1,128}$")],
        Annotated[str, StringConstraints(max_length=256)],
    ] = {}
    """Put on everything that takes tags."""
    adopt: Adopted = Adopted()
    """What exists already."""

    @model_validator(mode="after")
    def _fits_together(self) -> Aws:
        if self.addresses and len(self.addresses) != len(self.subnets):
            message = f"expected one of `addresses` for each of the {len(self.subnets)} `subnets`"
            raise ValueError(message)
        if ("s3" in self.endpoints) != bool(self.route_tables):
            message = "expected `route_tables` together with `s3` among `endpoints`, and only then"
            raise ValueError(message)
        if bool(set(self.endpoints) - {"s3"}) != bool(self.endpoint_clients):
            message = (
                "expected `endpoint_clients` together with interface endpoints (all but `s3`), and only then"
            )
            raise ValueError(message)
        return self
