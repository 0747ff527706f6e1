"""Are names what the templates say, and is every name plain on every file system we meet?"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge import naming
from landbridge.errors import IntegrityBroken, UsageError
from landbridge.facts import Slot
from tests.core.feeds import feed

SLOT = Slot(
    feed="flights",
    occurrence="2026-11-20",
    business_date=date(2026, 11, 20),
    scheduled_at=datetime(2026, 11, 21, 6, 5, tzinfo=UTC),
)
words = st.from_regex(r"[A-Za-z0-9_-]{1,20}", fullmatch=True)


def render(template: str, **variables: str) -> str:
    return naming.render(template, SLOT, environment="PRD-2", revision=7, variables=variables)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (
            "eIDVAPPSTORE_EDBH_{ENVIRONMENT}_V_{business_date:%Y%m%d}_{revision:03d}.csv",
            "eIDVAPPSTORE_EDBH_PRD-2_V_20261120_007.csv",
        ),
        ("{environment}/{feed}", "prd-2/flights"),
        ("{business_date}", "2026-11-20"),
        ("{scheduled_at}", "20261121T0605Z"),
        ("{scheduled_at:%d%H%M}", "210605"),
        ("{business_date:%d.%m.%y}", "20.11.26"),
        ("{revision}", "7"),
        ("{{not a word}}", "{not a word}"),
        ("100%", "100%"),
        ("{variables.bank}-x", "acme-x"),
    ],
)
def test_a_template_is_filled(template: str, expected: str) -> None:
    assert render(template, bank="acme") == expected


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{buisness_date}", "unknown word"),
        ("{}", "unknown word"),
        ("{0}", "unknown word"),
        ("{feed.__class__}", "unknown word"),
        ("{feed[0]}", "unknown word"),
        ("{variables}", "unknown word"),
        ("{variables.other}", "no variable"),
        ("{feed!r}", "not allowed"),
        ("{feed", "cannot be read"),
        ("feed}", "cannot be read"),
        ("{revision:%Y}", "does not fit"),
        ("{revision:{feed}}", "does not fit"),
        ("{revision:0999999999d}", "does not fit"),
        ("{feed:>99999}", "does not fit"),
        ("{business_date:%H%M}", "does not fit"),  # a day has no hour
        ("{business_date:%Q}", "does not fit"),
        ("{business_date:%}", "does not fit"),
        ("{business_date:>20}", "does not fit"),
        ("{scheduled_at:%-d}", "does not fit"),  # glibc only
        ("{scheduled_at:%s}", "does not fit"),  # ignores the zone
        ("{business_date:" + "%Y" * 21 + "}", "does not fit"),
    ],
)
def test_a_template_that_cannot_be_filled_is_refused(template: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        render(template, bank="acme")


@given(st.text(max_size=40))
def test_text_without_braces_is_taken_as_it_is(text: str) -> None:
    literal = re.sub(r"[{}]", "", text)
    assert render(literal) == literal
    assert render(text.replace("{", "{{").replace("}", "}}")) == text


HOSTILE = [
    "",
    ".",
    "..",
    "a/b",
    "a\\b",
    "../etc/passwd",
    "C:file",
    "file:stream",
    'a"b',
    "a*b",
    "a?b",
    "a<b",
    "a|b",
    "a\x00b",
    "a\nb",
    "a\tb",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
    "a\u202eb",  # right-to-left override: `gpj.exe` that reads `exe.jpg`
    "a\u200bb",
    "a\ud800b",
    "a\ue000b",
    ".hidden",
    " leading",
    "trailing ",
    "trailing.",
    "CON",
    "con.csv",
    "Nul.tar.gz",
    "AUX .txt",
    "COM1",
    "lpt9.csv",
    "COM\u00b9.csv",
    "CONIN$",
    "_manifests",
    "_canary",
    "_Canary",
    "_Manifests",
    "e\u0301.csv",  # not NFC
    "x" * 256,
    "\u00e9" * 128,  # 256 bytes
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_refused_on_both_sides(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        naming.plain_name(name)
    assert ("names a folder" in refused.value.what) == (name in {"", ".", ".."})
    with pytest.raises(IntegrityBroken) as caught:
        naming.hostile_name(name)
    assert all(char.isprintable() for char in caught.value.what), "shown escaped"


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "A_1-2.csv.gz.pgp",
        "con_x.csv",
        "COM10.csv",
        "x" * 255,
        "\u00e9" * 127,
        "\u00e9t\u00e9 2026.csv",
        "a..b",
        "~$x",
    ],
)
def test_an_ordinary_name_is_plain(name: str) -> None:
    assert naming.plain_name(name) == name == naming.hostile_name(name)


@given(st.text(max_size=300))
def test_a_plain_name_is_one_that_every_file_system_keeps_as_it_is(name: str) -> None:
    try:
        plain = naming.plain_name(name)
    except UsageError:
        return
    assert plain == name == unicodedata.normalize("NFC", name)
    assert plain == plain.strip(" ")
    assert not set(plain) & set('/\\:*?"<>|\0')
    assert plain not in {".", ".."}
    assert 0 < len(plain.encode()) <= 255
    assert not any(unicodedata.category(char).startswith("C") for char in plain)


def test_a_file_goes_where_its_templates_say() -> None:
    declared = feed(
        name="F_{business_date:%Y%m%d}_{revision:03d}.csv",
        folder="/{environment}/flights/",
        landed_name="flights.csv",
        landed_folder="{variables.bank}/in",
        done_file="{name}.done",
    )
    to = naming.target(declared, SLOT, "PRD", 2, {"bank": "acme"})
    assert to.key == "outbound/prd/flights/F_20261120_002.csv"
    assert to.landed_name == "acme/in/flights.csv"
    assert to.done_name == "acme/in/flights.csv.done"


def test_a_file_lands_under_its_own_name_unless_told_otherwise() -> None:
    to = naming.target(feed(), SLOT, "PRD", 1, {})
    assert (to.landed_name, to.done_name) == ("F_20261120_001.csv", "")


@pytest.mark.parametrize(
    "file",
    [
        {"folder": "a//b"},
        {"folder": "../b"},
        {"folder": "_manifests"},
        {"folder": "_canary"},
        {"folder": "a\\b"},
        {"name": "{variables.bank}.csv"},
        {"name": "a/b.csv"},
        {"landed_folder": "a/../.."},
        {"done_file": "{name}/done"},
        {"done_file": "."},
        {"landed_name": "a/b.csv"},
        {"folder": "/".join(["x" * 198] * 5), "name": "y" * 100},
    ],
)
def test_a_name_that_leaves_its_folder_is_refused(file: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        naming.target(feed(None, **file), SLOT, "PRD", 1, {"bank": "../../x"})


@given(
    feed_name=st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True),
    revision=st.integers(1, 9999),
    day=st.dates(min_value=date(2000, 1, 1)),
)
def test_records_of_different_revisions_have_different_keys(feed_name: str, revision: int, day: date) -> None:
    slot = Slot(feed=feed_name, occurrence=day.isoformat(), business_date=day, scheduled_at=SLOT.scheduled_at)
    for key in (
        naming.ledger_key(slot, revision),
        naming.manifest_key(slot, revision),
        naming.receipt_key(slot.feed, slot.occurrence, revision, day),
    ):
        assert f"{day.isoformat()}/" in key
        assert f"{revision:04d}.json" in key
        assert feed_name in key
    assert naming.ledger_key(slot, revision).startswith(naming.ledger_day(day))


def test_staged_bytes_are_named_by_what_they_are() -> None:
    key = naming.staging_key(SLOT, "ab" * 32, ".csv.gz")
    assert key == f"drafts/flights/2026-11-20/{'ab' * 32}.csv.gz"
    assert naming.quarantine_key(SLOT, "ab" * 32, ".csv.gz").startswith("quarantine/flights/2026-11-20/")


@pytest.mark.parametrize("key", ["drafts/flights/2026-11-20", "drafts/flights/2026-11-20/deep/x.csv", "x"])
def test_a_key_that_we_did_not_make_belongs_to_no_slot(key: str) -> None:
    assert naming.kept_for(naming.staging_key(SLOT, "ab" * 32, ".csv")) == ("flights", "2026-11-20")
    assert naming.kept_for(key) == ("", "")
