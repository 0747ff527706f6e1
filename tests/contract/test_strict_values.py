"""Does the fast check of many values accept only what the exact check of one value accepts, and nearly all of that?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.contract.columns import ColumnRule, Kind, parts_of
from landbridge.contract.strict.lexical import fault_of
from landbridge.contract.strict.page import Page
from landbridge.contract.strict.vector import acceptor


def _formatted(kind: Kind, form: str) -> ColumnRule:
    return ColumnRule("x", kind, format=form, form=parts_of(form))


RULES = [
    *(ColumnRule("x", "integer", bits=b, signed=s) for b in (8, 16, 32, 64, 128) for s in (True, False)),
    *(
        ColumnRule("x", "decimal", precision=p, scale=s)
        for p, s in ((15, 2), (2, 2), (5, 0), (38, 10), (38, 0), (9, 8), (1, 1))
    ),
    ColumnRule("x", "float"),
    ColumnRule("x", "float", bits=32),
    ColumnRule("x", "boolean"),
    ColumnRule("x", "binary"),
    ColumnRule("x", "date"),
    ColumnRule("x", "time"),
    ColumnRule("x", "timestamp"),
    ColumnRule("x", "timestamp", zoned=True),
    _formatted("date", "dd/MM/yyyy"),
    _formatted("date", "yyyyMMdd"),
    _formatted("time", "HHmm"),
    _formatted("time", "HH"),
    _formatted("timestamp", "'X'yyyyMMdd'T'HH:mm:ss"),
    _formatted("timestamp", "ddMM-yyyy'T'HH:mm:ss"),
    _formatted("timestamp", "dd.MM.yyyy HH:mm:ss.SSSXXX"),
    _formatted("timestamp", "yyyyMMddHHmmssSSSSSS"),
    _formatted("timestamp", "yyyy 'at' MM-dd HH"),
]

_NUMBERS = st.one_of(
    st.integers(-(2**130), 2**130).map(str),
    st.sampled_from([2**n + d for n in (7, 8, 15, 16, 31, 32, 63, 64, 127, 128) for d in (-1, 0, 1)]).flatmap(
        lambda n: st.sampled_from([str(n), str(-n), "0" + str(n)])
    ),
    st.integers(10**17, 2 * 10**19).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str),
    st.tuples(st.integers(-(10**20), 10**20), st.integers(0, 10**11)).map(lambda p: f"{p[0]}.{p[1]}"),
    st.floats().map(repr),
    st.floats(width=32).map(repr),
)
_MOMENTS = st.one_of(
    st.datetimes().map(lambda d: d.isoformat()),
    st.tuples(
        st.datetimes(), st.sampled_from(["Z", "+01:00", "-09:59", "+14:00", "-15:59", "+16:00", "+00:60"])
    ).map(lambda p: p[0].isoformat() + p[1]),
    st.dates().map(str),
    st.times().map(str),
    st.dates().map(lambda d: d.strftime("%d/%m/%Y")),
    st.dates().map(lambda d: d.strftime("%Y%m%d")),
    st.datetimes().map(lambda d: d.strftime("%Y%m%d%H%M%S%f")),
    st.datetimes().map(lambda d: d.strftime("%d.%m.%Y %H:%M:%S.123+01:00")),
    st.datetimes().map(lambda d: d.strftime("%Y at %m-%d %H")),
    st.tuples(*[st.integers(0, n) for n in (9999, 19, 39, 29, 69, 69)]).map(
        lambda t: f"{t[0]:04}-{t[1]:02}-{t[2]:02}T{t[3]:02}:{t[4]:02}:{t[5]:02}"
    ),
    st.tuples(st.integers(0, 29), st.integers(0, 69)).map(lambda t: f"{t[0]:02}{t[1]:02}"),
    st.sampled_from(["2024-02-29", "2025-02-29", "0000-01-01", "1900-02-29", "24:00:00", "23:59:60"]),
)
_CLOSE = st.text(alphabet="0123456789.-+:eETZ/,truefalsNI _xa\x1e\x80\xb0\x00", max_size=45)
_VALUES = st.one_of(
    st.binary(max_size=45),
    *(pool.map(lambda s: s.encode("latin-1")) for pool in (_NUMBERS, _MOMENTS, _CLOSE)),
    st.sampled_from([b"true", b"false", b"True", b"", b"-", b".", b"aGVsbG8=", b"aGVsbG8"]),
    st.tuples(_MOMENTS, st.integers(0, 40), st.binary(min_size=1, max_size=1)).map(
        lambda t: t[0].encode()[: t[1]] + t[2] + t[0].encode()[t[1] + 1 :]
    ),
)


def _accepted(rule: ColumnRule, values: list[bytes]) -> list[bool]:
    """Lay the values out with hostile bytes between them, and ask the fast check."""
    accept = acceptor(rule)
    assert accept is not None
    starts, text = [], b""
    for value in values:
        text += b"7"
        starts.append(len(text))
        text += value + b"\xff"
    page = Page(max(64, len(text)))
    page.room[: len(text)] = text
    first = np.array(starts, np.int64)
    return accept(page, first, first + np.array([len(v) for v in values], np.int64)).tolist()  # type: ignore[no-any-return]  # numpy


@pytest.mark.parametrize("rule", RULES, ids=lambda r: f"{r.kind}-{r.bits}-{r.precision}-{r.scale}-{r.format}")
def test_the_fast_check_accepts_nothing_that_the_exact_one_refuses(rule: ColumnRule) -> None:
    fault = fault_of(rule)

    @settings(max_examples=150, deadline=None)
    @given(values=st.lists(_VALUES, min_size=1, max_size=12))
    def judged(values: list[bytes]) -> None:
        wrong = [v for v, fast in zip(values, _accepted(rule, values), strict=True) if fast and fault(v)]
        assert wrong == []

    judged()


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        (
            ColumnRule("x", "integer"),
            "0 7 -7 007 12345678 123456789 -1234567890123456 123456789012345678 8999999999999999999",
        ),
        (ColumnRule("x", "integer", bits=32), "1999999999 -1999999999 0"),
        (ColumnRule("x", "decimal", precision=15, scale=2), "17 0.04 20115.25 -6486.60 1234567890123.45 3.1"),
        (ColumnRule("x", "decimal", precision=2, scale=2), "0.05 -0.99 0"),
        (ColumnRule("x", "decimal", precision=38, scale=10), "1234567890123456789012345678.0123456789"),
        (ColumnRule("x", "float"), "1.5 -0.25 3.141592653589793 7 100000000.123456"),
        (ColumnRule("x", "boolean"), "true false"),
        (ColumnRule("x", "date"), "2026-11-20 1999-12-31 0001-01-01 2023-02-28"),
        (ColumnRule("x", "time"), "10:00:00 23:59:59.123456 00:00:00.1"),
        (
            ColumnRule("x", "timestamp"),
            "2026-11-20T10:00:00 2026-11-20T10:00:00.123 2026-11-20T23:59:59.123456",
        ),
        (
            ColumnRule("x", "timestamp", zoned=True),
            "2026-11-20T10:00:00Z 2026-11-20T10:00:00.123Z 2026-11-20T10:00:00+01:00 2026-11-20T10:00:00.5-05:30",
        ),
        (_formatted("timestamp", "yyyyMMddHHmmssSSSSSS"), "20261120235959123456"),
        (_formatted("date", "dd/MM/yyyy"), "20/11/2026 31/12/1999"),
        (_formatted("time", "HHmm"), "0000 2359"),
    ],
    ids=lambda p: p.kind if isinstance(p, ColumnRule) else "",
)
def test_ordinary_values_take_the_fast_way(rule: ColumnRule, values: str) -> None:
    texts = values.encode().split()
    assert [v for v in texts if fault_of(rule)(v)] == []
    assert [v for v, fast in zip(texts, _accepted(rule, texts), strict=True) if not fast] == []


@pytest.mark.parametrize(
    ("rule", "value", "words"),
    [
        (ColumnRule("x", "integer"), b"40000.7", "fraction"),
        (ColumnRule("x", "integer"), b"0x1F", "hexadecimal"),
        (ColumnRule("x", "integer"), b"40_000", "underscores"),
        (ColumnRule("x", "integer"), b"1e3", "exponent"),
        (ColumnRule("x", "integer"), b"1,000", "thousands"),
        (ColumnRule("x", "integer"), b"+1", "plus sign"),
        (ColumnRule("x", "integer"), b"x", "not an integer"),
        (ColumnRule("x", "decimal", precision=5, scale=2), b"1,000.5", "thousands"),
        (ColumnRule("x", "integer"), b" 7", "space"),
        (ColumnRule("x", "integer"), b"7 ", "space"),
        (ColumnRule("x", "integer"), b"9" * 30, "64 bits"),
        (ColumnRule("x", "integer", bits=32), b"2147483648", "32 bits"),
        (ColumnRule("x", "integer", bits=32, signed=False), b"-1", "unsigned"),
        (ColumnRule("x", "integer"), b"9" * 5000, "64 bits"),
        (ColumnRule("x", "decimal", precision=15, scale=2), b"1.005", "3 digits after the point"),
        (ColumnRule("x", "decimal", precision=5, scale=2), b"1000", "4 digits before the point"),
        (ColumnRule("x", "decimal", precision=5, scale=2), b"1e3", "exponent"),
        (ColumnRule("x", "decimal", precision=5, scale=2), b".5", "fraction"),
        (ColumnRule("x", "float"), b"NaN", "finite"),
        (ColumnRule("x", "float"), b"-inf", "finite"),
        (ColumnRule("x", "float"), b"1e999", "64 bits"),
        (ColumnRule("x", "float", bits=32), b"1e39", "32 bits"),
        (ColumnRule("x", "date"), b"2025-02-29", "no such day"),
        (ColumnRule("x", "date"), b"20-11-2026", "expected 2026-11-20"),
        (ColumnRule("x", "time"), b"24:00:00", "no such hour"),
        (ColumnRule("x", "timestamp"), b"2026-11-20 10:00:00", "expected 2026-11-20T10:00:00"),
        (ColumnRule("x", "timestamp"), b"2026-11-20T10:00:00Z", "expected"),
        (ColumnRule("x", "timestamp", zoned=True), b"2026-11-20T10:00:00+99:00", "no such zone"),
        (ColumnRule("x", "boolean"), b"TRUE", "true or false"),
        (ColumnRule("x", "binary"), b"aGVsbG8", "base64"),
    ],
)
def test_a_wrong_value_is_named_for_what_is_wrong(rule: ColumnRule, value: bytes, words: str) -> None:
    assert words in fault_of(rule)(value)


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (ColumnRule("x", "float"), "1e39 -1e308 1e-400 0 -0.5 1E+5", "1e309 .5 5. 1e e5 1e5.0 +1 1_0 0x1"),
        (ColumnRule("x", "float", bits=32), "1e38 3.4028235e38 1e-46", "3.5e38 -1e39 1e309"),
        (ColumnRule("x", "integer", bits=8), "127 -128 00127 -0", "128 -129 - --1 1- 1.0"),
        (ColumnRule("x", "integer", bits=8, signed=False), "255 0 -0", "256 -1"),
        (
            ColumnRule("x", "integer", bits=128),
            f"{2**127 - 1} {-(2**127)} {'0' * 90}7",
            f"{2**127} {'9' * 70}",
        ),
        (ColumnRule("x", "decimal", precision=3, scale=1), "99.9 -99.9 0099.9 7", "100 9.99 9. .9 1,0"),
        (ColumnRule("x", "decimal", precision=2, scale=2), "0.99 -0.01 000.5 0", "1 1.00 0.999"),
        (
            ColumnRule("x", "binary"),
            "QQ== QUI= QUJD QUJDQUI= +/==",
            "Q QQ QQ= QQ=== =QQ= QQ==QUJD QUI=Q Q-== QUJ_ QQQ+=",
        ),
        (ColumnRule("x", "boolean"), "true false", "True FALSE 1 0 t truefalse tru"),
        (
            ColumnRule("x", "time"),
            "00:00:00 23:59:59.999999",
            "24:00:00 23:60:00 23:59:60 1:00:00 23:59 23:59:59. 23:59:59.1234567",
        ),
        (
            ColumnRule("x", "timestamp", zoned=True),
            "2026-01-01T00:00:00Z 2026-01-01T00:00:00-15:59",
            "2026-01-01T00:00:00 2026-01-01T00:00:00+16:00 2026-01-01T00:00:00+00:60 2026-01-01T00:00:00z 2026-01-01T00:00:00+0100",
        ),
        (
            ColumnRule("x", "date"),
            "0001-01-01 9999-12-31 2024-02-29 2000-02-29",
            "0000-01-01 1900-02-29 2026-04-31 2026-00-01 2026-01-00 26-01-01",
        ),
    ],
    ids=lambda p: f"{p.kind}{p.bits}" if isinstance(p, ColumnRule) else "",
)
def test_the_edges_of_each_form(rule: ColumnRule, good: str, bad: str) -> None:
    fault = fault_of(rule)
    assert [text for text in good.split() if fault(text.encode())] == []
    assert [text for text in [*bad.split(), " 1"] if not fault(text.encode())] == []
    assert bool(fault(b"")) is (rule.kind != "binary"), "no bytes are a value, no digits are none"
    texts = [text.encode() for text in (*good.split(), *bad.split(), "")]
    assert [t for t, fast in zip(texts, _accepted(rule, texts), strict=True) if fast and fault(t)] == []


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        (ColumnRule("x", "date"), "2026-11-20"),
        (ColumnRule("x", "time"), "10:00:00 23:59:59.123456"),
        (ColumnRule("x", "timestamp"), "2026-11-20T10:00:00 2026-11-20T23:59:59.5"),
        (ColumnRule("x", "timestamp", zoned=True), "2026-11-20T10:00:00Z 2026-11-20T10:00:00.123-05:30"),
        (_formatted("date", "dd/MM/yyyy"), "20/11/2026"),
        (_formatted("time", "HHmm"), "2359"),
        (_formatted("time", "HH"), "23"),
        # A day, and a year, of which one digit stands in another word than the next
        (_formatted("timestamp", "'X'yyyyMMdd'T'HH:mm:ss"), "X20261120T23:59:59"),
        (_formatted("timestamp", "ddMM-yyyy'T'HH:mm:ss"), "2011-2026T23:59:59"),
        (_formatted("timestamp", "HH:mm:ss'T'dd/MM/yyyy"), "23:59:59T20/11/2026"),
        (ColumnRule("x", "integer"), "7 -12345678 123456789012345678"),
        (ColumnRule("x", "integer", bits=128), "123456789012345678901234567890123456"),
        (ColumnRule("x", "decimal", precision=15, scale=2), "20115.25 -0.50 17 1234567890123.4"),
        (ColumnRule("x", "decimal", precision=2, scale=2), "0.05"),
        (ColumnRule("x", "float"), "3.141592653589793 -1.5 7 1.2.3 1..2 -.5 5."),
        (ColumnRule("x", "boolean"), "true false"),
    ],
    ids=lambda p: f"{p.kind}{p.bits}{p.format}" if isinstance(p, ColumnRule) else "",
)
def test_any_byte_at_any_place_of_a_value(rule: ColumnRule, values: str) -> None:
    fault = fault_of(rule)
    texts = [
        text[:at] + bytes([byte]) + text[at + 1 :]
        for text in values.encode().split()
        for at in range(len(text))
        for byte in range(256)
    ]
    long = [
        text[:1] + filling * 45 + text[1:]
        for text in values.encode().split()
        for filling in (b"x", b"0", b"-")
    ]
    accepted = [
        text for text, fast in zip([*texts, *long], _accepted(rule, [*texts, *long]), strict=True) if fast
    ]
    assert [text for text in accepted if fault(text)] == []
    assert accepted, "the fast check is sure of some of them"
