"""What does the network team have to open, route and name before the first file can be collected?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landbridge.account import Aws
    from landbridge.deploy.needs import Needs
    from landbridge.project import Place

_BLANK = "________"


def sheet(needs: Needs, where: Place, aws: Aws) -> str:
    """Give the sheet as Markdown; what the declaration does not know is a blank to be filled in."""
    return "\n".join(
        [
            f"# Request to the network team: {needs.project} {needs.environment}",
            "",
            "Rendered by `landbridge deploy aws render` from the declaration. Blanks are not known there.",
            "",
            *_table(
                "What it is for",
                ("", ""),
                [
                    (
                        "Purpose",
                        "files are collected over SFTP from a private endpoint in AWS; nothing faces the internet",
                    ),
                    (
                        "Direction",
                        "on-premises opens the connection; AWS opens none towards on-premises for this",
                    ),
                    ("AWS account, region", f"{aws.account}, {needs.region}"),
                    ("VPC", aws.vpc),
                    ("Requested by, cost centre", _BLANK),
                    ("Needed by (date)", _BLANK),
                    ("Change reference", _BLANK),
                ],
            ),
            *_addresses(aws),
            *_firewall(where, aws),
            *_table(
                "Direct Connect and routing",
                ("question", "answer"),
                [
                    ("Virtual interface and gateway that reach this VPC", _BLANK),
                    (f"Block of {aws.vpc} announced to on-premises", _BLANK),
                    (
                        f"{_listed(aws.on_premises)} announced to the VPC, and in the route tables of the subnets",
                        _BLANK,
                    ),
                    (
                        "Is there network address translation on the way? Then the blocks behind it, as AWS sees them",
                        _BLANK,
                    ),
                    ("Smallest MTU on the way", _BLANK),
                    ("Bandwidth reserved or limited for this", _limit(where)),
                    ("Second path if this one fails", _BLANK),
                ],
            ),
            *_dns(where, aws),
            *_inside(needs, aws),
            *_further(needs),
            "## How it is tested",
            "",
            "From each Control-M server, before any key is handed over; both must succeed:",
            "",
            "```sh",
            f"getent hosts {_host(where)}",
            f"ssh-keyscan -p {where.sftp.port} {_host(where)}   # the key must be the one that is pinned",
            "```",
            "",
        ]
    )


def _addresses(aws: Aws) -> Iterator[str]:
    rows = [
        (
            subnet,
            aws.addresses[number] if aws.addresses else f"{_BLANK} (AWS chooses it; fixed afterwards)",
            _BLANK,
        )
        for number, subnet in enumerate(aws.subnets)
    ]
    yield from _table("The endpoint", ("subnet", "private address", "availability zone"), rows)
    if aws.adopt.server:
        yield f"The server exists already: `{aws.adopt.server}`. Its addresses stay as they are."
        yield ""
    elif aws.addresses:
        yield "Please reserve these addresses: they must be free in their subnets when the server is made."
        yield ""


def _firewall(where: Place, aws: Aws) -> Iterator[str]:
    to = _listed(aws.addresses) if aws.addresses else f"{_BLANK} (the addresses of the endpoint)"
    yield from _table(
        "Firewall rules",
        ("from", "to", "port", "why"),
        [
            (block, to, f"TCP {where.sftp.port}", "SFTP; sessions may idle for 30 minutes")
            for block in aws.on_premises
        ],
    )
    yield "Please do not inspect or rewrite SSH on this path: the server's host key is pinned by every client."
    yield ""


def _dns(where: Place, aws: Aws) -> Iterator[str]:
    if aws.dns:
        zone = f"private zone {aws.dns.hosted_zone}; an A record, entered by the stack"
        resolver = f"{_BLANK} (forwarding rule to an inbound endpoint of Route 53 Resolver)"
    else:
        zone = f"{_BLANK} (nothing is entered by the stack)"
        resolver = _BLANK
    yield from _table(
        "Name resolution",
        ("question", "answer"),
        [
            ("Name that the consumer uses", _host(where)),
            ("Where it is entered", zone),
            ("Addresses that it gives", _listed(aws.addresses) if aws.addresses else _BLANK),
            ("How on-premises resolves that zone", resolver),
        ],
    )


def _inside(needs: Needs, aws: Aws) -> Iterator[str]:
    rows = [
        (flow.source, flow.destination, f"TCP {flow.port}", flow.why)
        for flow in needs.flows
        if flow.name != "collect"
    ]
    yield from _table("From the pods", ("from", "to", "port", "why"), rows)
    made = _listed(aws.endpoints) if aws.endpoints else "none"
    yield f"VPC endpoints made by the stack: {made}. Every other service above needs one in the landing zone, or a route out: {_BLANK}"
    yield ""


def _further(needs: Needs) -> Iterator[str]:
    further = [bucket.name for bucket in needs.buckets if bucket.purpose == "place"]
    if not further:
        return
    yield from _table(
        "Buckets of others",
        ("bucket", "owner", "what its owner allows"),
        [
            (name, _BLANK, f"s3:PutObject and s3:GetObject for role {needs.pod.name}, and the use of its key")
            for name in further
        ],
    )


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _host(where: Place) -> str:
    return _BLANK if ":" in where.sftp.host else where.sftp.host


def _limit(where: Place) -> str:
    return (
        f"{where.share.bandwidth:,} bytes/s at most"
        if where.share.bandwidth
        else "not limited by the collector"
    )


def _listed(values: Sequence[str]) -> str:
    return ", ".join(values)
