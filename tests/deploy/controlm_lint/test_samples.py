"""What is found in files of the shapes that the vendor's samples have: old spellings, exports, lists of jobs, other profiles?"""

from __future__ import annotations

from pathlib import Path

import pytest

from landbridge.deploy.controlm.lint import lint, read
from tests.deploy.controlm_lint.clean import TODAY

SAMPLES = Path(__file__).parent / "samples"
FOUND: dict[str, set[tuple[str, int]]] = {
    "defaults_and_flow.json": {
        ("temp-name-missing", 32),
        ("clean-up-missing", 32),
        ("late-untold", 27),
        ("command-failure-ignored", 37),
        ("form-old", 12),
        ("form-old", 14),
        ("form-old", 16),
    },
    "export.json": {
        ("retries-none", 10),
        ("transfer-ascii", 16),
        ("watcher-no-limit", 32),
        ("wildcard-bare", 18),
        ("many-into-one", 19),
        ("temp-name-missing", 15),
        ("clean-up-missing", 15),
        ("code-unconfirmed", 25),
        ("failure-untold", 6),
        ("pool-missing", 6),
        ("event-not-added", 39),
    },
    "profiles.json": {("secret-literal", 11), ("bytes-unverified", 3)},
    "jobs_list.json": {("watcher-no-limit", 6)},
    "descriptor.json": {("nothing-to-check", 1)},
}


def test_each_sample_is_named() -> None:
    assert {file.name for file in SAMPLES.glob("*.json")} == set(FOUND)


@pytest.mark.parametrize("name", FOUND)
def test_what_is_found_is_what_is_there(name: str) -> None:
    result = lint([read(SAMPLES / name)], TODAY)
    assert {(one.rule, one.line) for one in result.findings} == FOUND[name]


def test_profiles_are_found_when_they_are_given_together() -> None:
    files = [read(SAMPLES / name) for name in ("defaults_and_flow.json", "profiles.json")]
    assert "profile-not-given" not in {one.rule for one in lint(files, TODAY).findings}
    files = [read(SAMPLES / name) for name in ("export.json", "profiles.json")]
    told = [one for one in lint(files, TODAY).findings if one.rule == "profile-not-given"]
    assert [one.path.rsplit("/", 1)[1] for one in told] == ["ConnectionProfileSrc", "ConnectionProfileDest"]
