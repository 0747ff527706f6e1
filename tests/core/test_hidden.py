"""Is a secret blotted out of what is shown, in every form that a server may give it back in?"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from landbridge import hidden
from landbridge.errors import UsageError
from landbridge.sources.around import inside, without_user
from tests.contract.bridge import SLOT, around

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from landbridge.sources.around import Around

SECRET = 's3cr/+t &=%"word~'


@pytest.mark.parametrize(
    "given_back",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
    ],
)
def test_its_forms_are_blotted_out(given_back: str) -> None:
    shown = hidden.without(f"refused: {given_back} is wrong", hidden.forms(SECRET))
    assert hidden.STARS in shown
    assert "word" not in shown
    assert "776f7264" not in shown.lower()


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@given(some.text(min_size=6, max_size=40), some.binary(max_size=5), some.binary(max_size=5))
@example("a~~~~~~~~~~?>>>>>>", b"", b"")  # of letters that the two write differently
def test_whatever_stands_beside_it_in_base64(
    encode: Callable[[bytes], bytes], secret: str, before: bytes, after: bytes
) -> None:
    encoded = encode(before + secret.encode() + after).decode()
    shown = hidden.without(encoded, hidden.forms(secret))
    left = len(shown.replace(hidden.STARS, ""))
    # What stands beside it, and at each end a group of four letters that also holds what stands beside.
    assert left <= 4 * ((len(before) + 2) // 3 + (len(after) + 2) // 3) + 8


def test_a_short_word_is_not_looked_for_in_other_forms() -> None:
    assert hidden.without("no6f6b", hidden.forms("ok")) == "no6f6b"


@pytest.mark.parametrize("size", range(4, len(SECRET)))
def test_no_beginning_of_it_is_left_where_a_long_text_is_cut(size: int) -> None:
    known = hidden.forms(SECRET)
    longest = max(map(len, known))
    text = "x" * (60 + longest - size) + SECRET * 40
    shown = hidden.beginning(text, 60 + longest, known)
    assert SECRET[:4] not in shown


@pytest.mark.parametrize("size", range(1, 4))
def test_not_a_letter_is_left_of_one_that_begins_just_before_the_cut(size: int) -> None:
    known = hidden.forms(SECRET)
    shown = hidden.beginning("x" * (60 - size) + SECRET + "y" * 400, 60, known)
    assert shown == ("x" * (60 - size) + hidden.STARS)[:60]


def test_a_secret_that_begins_with_another_one_is_blotted_out_whole() -> None:
    assert hidden.without("token-and-more", {"token", "token-and-more", "tok"}) == hidden.STARS


def test_many_secrets_blotted_out_leave_no_half_of_one_at_the_end() -> None:
    known = hidden.forms(SECRET)
    for most in range(20, 200):
        shown = hidden.beginning(SECRET * 50, most, known)
        assert SECRET[:4] not in shown
        assert len(shown) <= most


def test_a_text_that_is_not_cut_is_whole() -> None:
    assert hidden.beginning("answer s3cr", 60, hidden.forms(SECRET)) == "answer s3cr"


# What a source learns is hidden wherever it speaks


def _shown(known: Around, text: str) -> str:
    assert known.shown(text) == known.shown_beginning(text, 1_000)
    return known.shown(text)


def test_a_password_in_a_url_that_a_reference_gave_is_shown_nowhere(tmp_path: Path) -> None:
    """A driver's message may hold it alone, without the URL around it."""
    known = around(tmp_path, {"env:DB": "postgresql://reader:p4ssw0rd@db.example.org/x"})
    assert known.resolved("env:DB", SLOT) == "postgresql://reader:p4ssw0rd@db.example.org/x"
    assert _shown(known, "authentication failed for p4ssw0rd") == "authentication failed for ***"


def test_what_was_resolved_or_learnt_is_shown_nowhere(tmp_path: Path) -> None:
    known = around(tmp_path, {"env:KEY": "k3y-of-ours\n"})
    assert known.secret("env:KEY") == "k3y-of-ours"
    known.learn("t0ken-of-theirs")
    assert _shown(known, "k3y-of-ours, t0ken-of-theirs") == "***, ***"


def test_nobodys_name_or_password_is_shown_in_a_url_whoever_wrote_it(tmp_path: Path) -> None:
    known = around(tmp_path)
    assert _shown(known, "see https://ann:unknown@h/x?y=a@b") == "see https://***@h/x?y=a@b"
    assert without_user("https://ann:unknown@h:8443/x") == "https://h:8443/x"


def test_a_secret_of_three_letters_is_hidden_and_one_of_two_is_a_word(tmp_path: Path) -> None:
    known = around(tmp_path, {"env:A": "abc", "env:B": "of"})
    known.secret("env:A")
    known.secret("env:B")
    assert _shown(known, "abc of it") == "*** of it"


def test_what_is_no_url_is_refused_without_being_shown(tmp_path: Path) -> None:
    known = around(tmp_path, {"env:URL": "https://[p4ssw0rd/x"})
    with pytest.raises(UsageError, match="is no URL") as told:
        known.resolved("env:URL", SLOT)
    assert "p4ssw0rd" not in f"{told.value}{told.value.__cause__}"
    assert told.value.__suppress_context__, "the library's own error may hold the URL"


def test_a_path_with_a_nul_in_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a path"):
        inside(tmp_path, "in/a\0b.csv")
