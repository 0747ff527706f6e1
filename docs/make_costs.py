# ruff: noqa: INP001 # a script, no package
"""Writes the table of costs in docs/deploy-aws.md, and what the pages say of its sum, from one list of prices.

Run it after a change of a price: `.venv/bin/python docs/make_costs.py`. A test compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parent
BEGIN, END = "<!-- costs: made by docs/make_costs.py -->", "<!-- end of costs -->"
SUM_BEGIN, SUM_END = "<!-- sum -->", "<!-- /sum -->"
HOURS = 730
"""Of a month, as AWS's own calculator has them."""
AS_OF = "November 2026"
REGION = "eu-west-2"


@dataclass(frozen=True)
class Price:
    """What is paid for, in US dollars; all prices are recalled."""

    what: str
    unit: str
    """How the price is said."""
    price: Decimal
    units: int = 0
    """Of them a month, where that does not follow from the volume."""
    page: str = ""
    """AWS's page that has today's price."""

    @property
    def month(self) -> Decimal:
        """A month of it."""
        return self.price * self.units


ALWAYS = (
    Price(
        "Transfer Family server, one protocol; also while it is stopped",
        "an hour",
        Decimal("0.30"),
        HOURS,
        "AWS Transfer Family pricing",
    ),
    Price("KMS key, calls aside", "a month", Decimal("1.00"), 1, "AWS KMS pricing"),
    Price("two secrets (SFTP key, host key)", "each", Decimal("0.40"), 2, "AWS Secrets Manager pricing"),
    Price("two alarms", "each", Decimal("0.10"), 2, "Amazon CloudWatch pricing"),
    Price("two metrics", "each", Decimal("0.30"), 2, "Amazon CloudWatch pricing"),
)
BY_VOLUME = (
    Price("each GB collected", "a GB", Decimal("0.04"), page="AWS Transfer Family pricing"),
    Price(
        "S3, versions and access logs included", "a GB and month", Decimal("0.024"), page="Amazon S3 pricing"
    ),
    Price("CloudWatch log of the server", "a GB", Decimal("0.60"), page="Amazon CloudWatch pricing"),
)
ON_DEMAND = (
    Price(
        "each interface endpoint of `endpoints`, in two zones",
        "an hour and zone",
        Decimal("0.011"),
        2 * HOURS,
        "AWS PrivateLink pricing",
    ),
)


def total() -> Decimal:
    """Give what an environment costs a month before a byte is carried."""
    return sum((each.month for each in ALWAYS), Decimal(0))


def costs(page: str) -> str:
    """Give docs/deploy-aws.md with its table as it is now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n" + "\n".join(_table()) + f"\n\n{END}{after}"


def summed(page: str) -> str:
    """Give docs/first-file.md with the sum as it is now."""
    before, _, rest = page.partition(SUM_BEGIN)
    _, _, after = rest.partition(SUM_END)
    return f"{before}{SUM_BEGIN}[about {total():.0f} US dollars a month](deploy-aws.md#costs-a-month){SUM_END}{after}"


def _table() -> Iterator[str]:
    yield f"For one environment in `{REGION}`, in US dollars, {HOURS} hours a month. **Every price was written down from memory in {AS_OF}**, none was"
    yield "looked up: before a budget rests on them, look at the page of AWS that the last column names, or use the AWS Pricing Calculator."
    yield ""
    yield "| what | price | a month | today's price |"
    yield "|---|---|---|---|"
    for each in ALWAYS:
        yield f"| {each.what} | {each.price} {each.unit} | {each.month:.2f} | {each.page} |"
    for each in BY_VOLUME:
        yield f"| {each.what} | {each.price} {each.unit} | by volume | {each.page} |"
    yield f"| **without volume** | | **{total():.2f}** | |"
    for each in ON_DEMAND:
        yield f"| {each.what} | {each.price} {each.unit} | {each.month:.2f} | {each.page} |"
    yield "| S3 gateway endpoint, roles, policies, security groups, rules | 0 | 0 | |"


if __name__ == "__main__":
    for name, made in (("deploy-aws.md", costs), ("first-file.md", summed)):
        path = DOCS / name
        path.write_text(made(path.read_text(encoding="utf-8")), encoding="utf-8")
