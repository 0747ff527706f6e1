"""Is what a server gives back found to be the same, and is every real difference found, under its own path?"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from landbridge.deploy.controlm.api.difference import KeyChange, Part, compare
from landbridge.deploy.controlm.api.record import learn, without
from tests.deploy.controlm_stage import FOLDER, PROFILES
from tests.servers.controlm_shapes import given_back

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "EIDV_PRD"
Path = tuple[str | int, ...]


def _leaves(value: object, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _leaves(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _leaves(each, (*path, index))
    else:
        yield path


LEAVES = [path for path in _leaves(FOLDER[NAME]) if path[-1] != "Type"]


def _changed(document: dict[str, Any], path: Path, value: object) -> dict[str, Any]:
    made = copy.deepcopy(document)
    place: Any = made
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return made


def _differences(declared: dict[str, Any], deployed: dict[str, Any] | None) -> list[Part]:
    return [part for part in compare(NAME, declared, deployed) if part.action != "None"]


def test_what_a_server_makes_of_it_is_the_same() -> None:
    assert _differences(FOLDER[NAME], given_back(FOLDER[NAME], "deployer")) == []
    for name, one in PROFILES.items():
        assert [part.action for part in compare(name, one, given_back(one, "deployer"))] == ["None"]


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: ".".join(map(str, path)))
def test_a_change_of_any_single_value_is_found_and_nothing_else(path: Path) -> None:
    deployed = given_back(_changed(FOLDER[NAME], path, "CHANGED"), "deployer")
    found = _differences(FOLDER[NAME], deployed)
    changed = [one for part in found for one in part.keys if one.before == "CHANGED" or "CHANGED" in str(one)]
    assert len(found) == 1
    assert changed, found
    assert len(found[0].keys) <= 2, "a set shows what left it and what came"
    name = found[0].name
    assert name == (path[0] if len(path) > 1 and str(path[0]).startswith("SUMMARY") else NAME)


def _shuffled(value: Any, draw: Any) -> Any:
    if isinstance(value, dict):
        keys = draw(st.permutations(list(value)))
        return {key: _shuffled(value[key], draw) for key in keys}
    return [_shuffled(each, draw) for each in value] if isinstance(value, list) else value


@drawn(st.data())
def test_order_means_nothing_and_numbers_may_be_numbers(data: st.DataObject) -> None:
    deployed = _shuffled(given_back(FOLDER[NAME], "x"), data.draw)
    deployed["SUMMARY_PULL"]["NumberOfRetries"] = 5
    deployed["SUMMARY_PULL"]["RerunFromPointOfFailure"] = "true"
    assert _differences(FOLDER[NAME], deployed) == []


def test_jobs_come_and_go() -> None:
    deployed = copy.deepcopy(FOLDER[NAME])
    deployed["OLD"] = deployed.pop("SUMMARY_LAND")
    found = {part.name: part.action for part in _differences(FOLDER[NAME], deployed)}
    assert found == {"SUMMARY_LAND": "Add", "OLD": "Remove"}
    assert {part.action for part in compare(NAME, FOLDER[NAME], None)} == {"Add"}


def test_an_older_server_names_types_otherwise() -> None:
    deployed = _changed(FOLDER[NAME], ("SUMMARY_PULL", "EIDV_PRD_SESSIONS", "Type"), "Resource:Semaphore")
    assert _differences(FOLDER[NAME], deployed) == []
    deployed = _changed(FOLDER[NAME], ("SUMMARY_PULL", "EIDV_PRD_SESSIONS", "Type"), "Resource:Lock")
    assert len(_differences(FOLDER[NAME], deployed)) == 1


def test_several_actions_of_one_job_are_matched_by_what_they_say() -> None:
    declared = copy.deepcopy(FOLDER[NAME])
    job = declared["SUMMARY_PULL"]
    job["IfWell"] = {**copy.deepcopy(job["IfFailed"]), "CompletionStatus": "OK"}
    job["IfWell"]["Tell"]["To"] = "audit@example.org"
    deployed = given_back(copy.deepcopy(declared), "x")
    blocks = {key: value for key, value in deployed["SUMMARY_PULL"].items() if key.startswith("IfBase")}
    names = list(blocks)
    deployed["SUMMARY_PULL"] |= dict(zip(names, reversed(blocks.values()), strict=True))
    assert len(names) == 2
    assert _differences(declared, deployed) == []
    job["IfWell"]["Tell"]["To"] = "other@example.org"
    keys = _differences(declared, deployed)[0].keys
    assert keys == (KeyChange("IfWell.Tell.To", "audit@example.org", "other@example.org"),)


def test_a_secret_is_not_compared_and_its_absence_is_seen() -> None:
    declared = PROFILES["EIDV_PRD_SHARE"]
    hidden = {**declared, "Password": "*****"}
    assert compare("X", declared, hidden)[0].action == "None"
    assert compare("X", declared, {**declared, "Password": {"Secret": "other"}})[0].action == "None"
    gone = {key: value for key, value in declared.items() if key != "Password"}
    assert compare("X", declared, gone)[0].keys == (KeyChange("Password.Secret", None, "share-pass"),)
    assert compare("X", gone, hidden)[0].keys == (KeyChange("Password", "*****", None),)


def test_what_is_inherited_from_the_folder_is_no_difference_and_what_is_not_is() -> None:
    declared = copy.deepcopy(FOLDER[NAME])
    del declared["SUMMARY_LAND"]["Application"]
    assert _differences(declared, given_back(FOLDER[NAME], "x")) == []
    other = _changed(FOLDER[NAME], ("SUMMARY_LAND", "Application"), "OTHER")
    assert _differences(declared, other)[0].keys == (KeyChange("Application", "OTHER", None),)


def test_what_was_learnt_is_passed_over_while_it_stays_exactly_so() -> None:
    deployed = {**FOLDER[NAME], "New": "1", "TimeZone": "GMT"}
    known = learn({}, compare(NAME, FOLDER[NAME], deployed))
    first = without(compare(NAME, FOLDER[NAME], deployed), known)[0]
    assert (first.action, first.keys) == ("None", ())
    assert first.kept == (KeyChange("TimeZone", "GMT", "LON"),)
    later = without(compare(NAME, FOLDER[NAME], {**deployed, "New": "2"}), known)[0]
    assert later.keys == (KeyChange("New", "2", None),)
    declared = {**FOLDER[NAME], "TimeZone": "CET"}
    assert without(compare(NAME, declared, deployed), known)[0].keys == (KeyChange("TimeZone", "GMT", "CET"),)
    assert learn(known, compare(NAME, FOLDER[NAME], FOLDER[NAME]))[f"/{NAME}"] == ()
