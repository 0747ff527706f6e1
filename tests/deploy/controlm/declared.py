"""What does a declaration look like whose files Control-M takes?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.servers import declared as small

if TYPE_CHECKING:
    from landbridge.project import Declaration

CONTROL_M: dict[str, Any] = {
    "server": "ctm",
    "agents": "mft-agents",
    "key": "acme_prd_1",
    "share": {"user": "svc_acme", "password": "acme-share"},
    "time_zones": {"Europe/London": "LON"},
    "mail": ["ops@example.org"],
}
SHARE = {
    "path": "/mnt/acme",
    "receipt_key": "file:keys/receipts.pem",
    "receipt_public_keys": ["file:keys/receipts.pub"],
}


def declared(
    schedule: dict[str, Any] | None = None,
    name: str = "REPORT_{business_date:%Y%m%d}_{revision:03d}.csv",
    controlm: dict[str, Any] | None = None,
    project: dict[str, Any] | None = None,
    **feed: Any,
) -> Declaration:
    """Give a declaration of one feed, `report`; `controlm` adds to what is usual."""
    report = small.feed(
        feed="report",
        schedule={"cron": "0 6 * * *", "time_zone": "Europe/London", **(schedule or {})},
        file={"name": name, "folder": "reports"},
        **feed,
    )
    return small.declaration(
        report,
        project={
            "controlm": CONTROL_M | (controlm or {}),
            "share": SHARE,
            "calendars": {"england": {"country": "GB", "subdivision": "ENG"}},
            **(project or {}),
        },
    )


def stands_for(pattern: str, name: str) -> bool:
    """Match a pattern whose one wildcard may be nothing but the digits of a revision."""
    before, after = pattern.split("*")
    return (
        name.startswith(before)
        and name.endswith(after)
        and name[len(before) : len(name) - len(after)].isdigit()
    )
