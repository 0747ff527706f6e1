"""Where do a feed's rows come from, as declared?"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from landbridge.feed.words import (
    Column,
    Declared,
    Duration,
    Name,
    Resolvable,
    SecretReference,
    Template,
    Text,
    TimeOfDay,
    is_reference,
)

ColumnType = Annotated[
    str,
    StringConstraints(
        pattern=r"^(string|boolean|int32|int64|float64|date|time|timestamp|timestamptz|binary|decimal\(\d{1,2},\s*\d{1,2}\))$"
    ),
]
"""An Arrow type by its common name: `string`, `int64`, `decimal(12,2)`, `date`, `timestamp` (no zone), `timestamptz` (UTC)."""


class Bearer(Declared):
    """`Authorization: Bearer TOKEN` (RFC 6750)."""

    kind: Literal["bearer"]
    token: SecretReference
    """The token."""


class ApiKey(Declared):
    """A key in a header or a query parameter."""

    kind: Literal["api_key"]
    name: Text = "X-API-Key"
    """Of the header or the parameter."""
    value: SecretReference
    """The key."""
    place: Literal["header", "query"] = "header"
    """Where it is sent."""


class Basic(Declared):
    """HTTP Basic (RFC 7617)."""

    kind: Literal["basic"]
    user: Resolvable
    """The user."""
    password: SecretReference
    """The password."""


class OAuth2ClientCredentials(Declared):
    """OAuth 2.0 client credentials (RFC 6749, 4.4); the token is fetched anew before it runs out."""

    kind: Literal["oauth2_client_credentials"]
    token_url: Resolvable
    """Where tokens are had."""
    client_id: Resolvable
    """The client."""
    client_secret: SecretReference
    """Its secret."""
    scope: str = ""
    """Asked for, words separated by spaces."""
    parameters: dict[str, str] = {}
    """Further form fields the token endpoint wants, such as `audience`."""


Auth = Annotated[Bearer | ApiKey | Basic | OAuth2ClientCredentials, Field(discriminator="kind")]


class SinglePage(Declared):
    """The one answer holds everything."""

    kind: Literal["single"] = "single"


class LinkHeader(Declared):
    """The next page is in the `Link` header with `rel="next"` (RFC 8288)."""

    kind: Literal["link_header"]
    rel: Text = "next"
    """Relation of the link that leads on."""


class NextUrl(Declared):
    """The body holds the URL of the next page."""

    kind: Literal["next_url"]
    path: Text
    """Dotted path of it, `links.next`; null, empty or absent ends the paging."""


class Cursor(Declared):
    """The body holds a cursor that is sent back as a query parameter."""

    kind: Literal["cursor"]
    path: Text
    """Dotted path of the cursor in the body; null, empty or absent ends the paging."""
    parameter: Text
    """Query parameter that sends it back."""


class Offset(Declared):
    """`offset` and `limit`; ends at `total` where the body tells one, else at a page shorter than the limit."""

    kind: Literal["offset"]
    limit: Annotated[int, Field(ge=1)]
    """Records a page."""
    offset_parameter: Text = "offset"
    """Query parameter of the offset."""
    limit_parameter: Text = "limit"
    """Query parameter of the limit."""
    total_path: Text | None = None
    """Dotted path of the number of all records."""


class PageNumber(Declared):
    """A page number; ends at `total_pages_path` where the body tells one, else at an empty page."""

    kind: Literal["page"]
    parameter: Text = "page"
    """Query parameter of the number."""
    first: int = 1
    """Number of the first page."""
    size_parameter: Text | None = None
    """Query parameter of the page's size."""
    size: Annotated[int, Field(ge=1)] | None = None
    """Records a page."""
    total_pages_path: Text | None = None
    """Dotted path of the number of all pages."""


Paging = Annotated[
    SinglePage | LinkHeader | NextUrl | Cursor | Offset | PageNumber, Field(discriminator="kind")
]


class Retries(Declared):
    """How often a request is tried again: on 429 and 503 (after `Retry-After`), 500, 502, 504, cut connections and time-outs."""

    attempts: Annotated[int, Field(ge=1, le=50)] = 6
    """All together, with the first."""
    longest_wait: Duration = Field(default="60s", validate_default=True)
    """Between two of them."""


class Detail(Declared):
    """One further call for each record of the list; its record's fields join the list's record."""

    url: Template
    """`/orders/{id}`: `{...}` names a field of the list's record."""
    record: str = ""
    """Dotted path of the detail record in the answer; empty when it is the whole answer."""
    parameters: dict[str, str] = {}
    """Query parameters."""
    prefix: str = ""
    """Put before the names of the detail's fields, for instance `detail_`."""
    concurrency: Annotated[int, Field(ge=1, le=32)] = 4
    """Calls at once."""


class RestSource(Declared):
    """Records of a JSON API over HTTP."""

    kind: Literal["rest"]
    url: Resolvable
    """Absolute URL, or a reference to one (`env:EIDV_API_URL`)."""
    path: Template | None = None
    """Added to `url`, when `url` is only the base."""
    method: Literal["GET", "POST"] = "GET"
    """How it is asked."""
    headers: dict[str, str] = {}
    """Further request headers; secrets belong under `auth`."""
    parameters: dict[str, Template] = {}
    """Query parameters; may use the slot: `{business_date:%Y-%m-%d}`."""
    body: dict[str, Template] | None = None
    """JSON body of a POST."""
    records: str = ""
    """Dotted path of the list of records; empty when the answer is the list."""
    columns: dict[Column, ColumnType] = {}
    """Types of the columns to keep, in order. Without it they follow from the first page, and a later page that differs is an error."""
    auth: Auth | None = None
    """How it knows us."""
    paging: Paging = SinglePage()
    """How the next page is found."""
    detail: Detail | None = None
    """One more call for each record."""
    requests_per_second: Annotated[float, Field(gt=0)] | None = None
    """At most; without it as fast as the API answers."""
    timeout: Duration = Field(default="30s", validate_default=True)
    """Of one request."""
    retries: Retries = Retries()
    """When a request fails."""
    most_pages: Annotated[int, Field(ge=1)] = 100_000
    """A paging that does not end by then is an error, not a hang."""


_PASSWORD_IN_URL = re.compile(r"^[\w+]+://[^/@:]*:[^/@]+@")


def _no_password(url: str) -> str:
    if not is_reference(url) and _PASSWORD_IN_URL.match(url):
        message = "expected a reference such as `env:DATABASE_URL`: a URL with a password in it is a secret"
        raise ValueError(message)
    return url


DatabaseUrl = Annotated[Resolvable, AfterValidator(_no_password)]


class SqlSource(Declared):
    """Rows of one query, streamed from the server in a read-only transaction; queries on one URL share one snapshot."""

    kind: Literal["sql"]
    url: DatabaseUrl
    """`postgresql://...`, `sqlite:///...` or any SQLAlchemy URL; with a password in it, only as a reference."""
    query: Text
    """Bound parameters as `:name`."""
    parameters: dict[Name, Template] = {}
    """Text of each parameter; `:business_date` and `:scheduled_at` are always bound, typed."""
    timeout: Duration = Field(default="1h", validate_default=True)
    """Of the whole query."""


class FilesSource(Declared):
    """Rows of the files that match a pattern, in order of their names."""

    kind: Literal["files"]
    path: Resolvable
    """`in/{business_date:%Y%m%d}/*.csv`, `s3://bucket/prefix/*.parquet`."""
    format: Literal["csv", "jsonl", "parquet"]
    """Of every file."""
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    """Of CSV."""
    encoding: str = "utf-8"
    """Of CSV and JSONL."""
    columns: dict[Column, ColumnType] = {}
    """Types of the columns to keep, in order; without it those of the first file."""
    none_is: Literal["error", "empty"] = "error"
    """What no matching file means."""


class PythonSource(Declared):
    """A function of the project that yields mappings, or Arrow record batches."""

    kind: Literal["python"]
    function: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
    """`module:function`, found from the project's folder; called with the slot and `parameters`."""
    parameters: dict[str, Template] = {}
    """Given to the function by name."""
    columns: dict[Column, ColumnType] = {}
    """Types of the columns to keep, in order; without it those of the first rows."""


SourceDeclared = Annotated[RestSource | SqlSource | FilesSource | PythonSource, Field(discriminator="kind")]


class SqlReady(Declared):
    """Ready when the query's first value is true, or a number above zero."""

    kind: Literal["sql"]
    url: DatabaseUrl
    """As of a `sql` source."""
    query: Text
    """Bound parameters as `:name`."""
    parameters: dict[Name, Template] = {}
    """As of a `sql` source."""


class RestReady(Declared):
    """Ready when the URL answers 200 and, with `path`, the value there is true or equals `equals`."""

    kind: Literal["rest"]
    url: Resolvable
    """Absolute URL, or a reference to one."""
    path: str = ""
    """Dotted path of the value in the answer."""
    equals: str | None = None
    """What the value must be, as text."""
    auth: Auth | None = None
    """How it knows us."""


class FileReady(Declared):
    """Ready when a file or an object matches."""

    kind: Literal["file"]
    path: Resolvable
    """Pattern of a file, or of an object `s3://bucket/prefix/*`."""


ReadySignal = Annotated[SqlReady | RestReady | FileReady, Field(discriminator="kind")]


class Readiness(Declared):
    """Wait for an upstream before reading anything."""

    signal: ReadySignal
    """What tells that the upstream is ready."""
    every: Duration = Field(default="1m", validate_default=True)
    """How often it is asked."""
    limit: Duration | None = None
    """Give up (exit 75) this long after the start."""
    until: TimeOfDay | None = None
    """Or at this local time of the scheduled day."""

    @model_validator(mode="after")
    def _one_limit(self) -> Readiness:
        if (self.limit is None) == (self.until is None):
            message = "expected exactly one of `limit` and `until`"
            raise ValueError(message)
        return self
