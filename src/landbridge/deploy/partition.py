"""In which partition of AWS is a region, and how are names spelt there?

Source: AWS documentation, "AWS partitions"; the list of partitions and of Transfer Family's regions in botocore's data
(tests hold this table against it).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Partition:
    """Regions that share identities; nothing reaches from one partition into another."""

    name: str
    """What follows `arn:`."""
    suffix: str
    """What the names of its endpoints end in."""
    called: str = ""
    """By people."""
    has_transfer: bool = True
    """Whether AWS Transfer Family, and so the SFTP side, exists there."""
    plain_endpoints: bool = True
    """Whether the names of its interface endpoints begin `com.amazonaws.` for every service."""


AWS = Partition("aws", "amazonaws.com")
_OTHERS = {
    "us-gov-": Partition("aws-us-gov", "amazonaws.com", "GovCloud"),
    "cn-": Partition("aws-cn", "amazonaws.com.cn", "China", plain_endpoints=False),
    "eusc-": Partition("aws-eusc", "amazonaws.eu", "the European sovereign cloud", plain_endpoints=False),
    "us-iso-": Partition("aws-iso", "c2s.ic.gov", "a secret cloud", has_transfer=False),
    "us-isob-": Partition("aws-iso-b", "sc2s.sgov.gov", "a secret cloud", has_transfer=False),
    "eu-isoe-": Partition("aws-iso-e", "cloud.adc-e.uk", "a secret cloud", has_transfer=False),
    "us-isof-": Partition("aws-iso-f", "csp.hci.ic.gov", "a secret cloud", has_transfer=False),
}
"""By the beginning of a region's name."""


def partition_of(region: str) -> Partition:
    """Give the partition of a region; `aws` for every region that no other one claims."""
    return next((there for begins, there in _OTHERS.items() if region.startswith(begins)), AWS)
