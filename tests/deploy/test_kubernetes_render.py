"""Does each environment get what its declaration says, under names that fit, with what a pod needs and nothing more?"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from landbridge.declare import load
from landbridge.deploy.cloudformation import stacks
from landbridge.deploy.kubernetes import names
from landbridge.deploy.kubernetes.checks import findings
from landbridge.deploy.kubernetes.files import MOST
from landbridge.deploy.kubernetes.package import package, write
from landbridge.deploy.kubernetes.render import Manifests, manifests
from landbridge.deploy.kubernetes.text import written
from landbridge.deploy.needs import needs
from landbridge.errors import DeclarationWrong
from tests.deploy.manifests import EXAMPLE, rendered
from tests.servers.declared import declaration as declared
from tests.servers.declared import feed

if TYPE_CHECKING:
    from pathlib import Path

    from landbridge.project import Declaration

IMAGE = f"registry.example.internal/landbridge@sha256:{'a' * 64}"
PUBLIC = "-----BEGIN PUBLIC KEY-----\n"


def _folder(tmp_path: Path) -> Path:
    for name in ("landbridge.yaml", "feeds/orders.yaml", "contracts/orders.odcs.yaml", "keys/receipts.pub"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(PUBLIC if name.endswith("pub") else f"# {name}\nschedule:\n  cron: x\n")
    return tmp_path


def _declared(
    tmp_path: Path, *, kubernetes: dict[str, object] | None = None, **changes: object
) -> Declaration:
    sources = {"rows": {"kind": "rest", "url": "env:API_URL"}}
    own = dict(kubernetes or {})
    watch, retention = own.pop("watch", {}), own.pop("retention", {})
    cluster = {"image": IMAGE, "environment": {"API_URL": "https://api.example.internal"}} | own
    return declared(
        feed(**{"sources": sources} | changes),
        folder=_folder(tmp_path),
        project={"kubernetes": cluster, "watch": watch, "retention": retention},
    )


def _of(made: Manifests, kind: str) -> list[Any]:
    return [one for one in made.objects if one["kind"] == kind]


def _cron_job(made: Manifests, name: str) -> Any:
    return next(one for one in _of(made, "CronJob") if one["metadata"]["name"] == name)


def _container(job: Any) -> Any:
    return job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]


def test_an_environment_gets_a_job_for_each_of_its_feeds_and_one_for_the_watch_and_the_reaper() -> None:
    jobs = [one["metadata"]["name"] for one in _of(rendered(), "CronJob")]
    assert jobs == [
        *(f"eidv-dev-{name}" for name in ("disputes", "monthly", "screening", "summary", "verifications")),
        "eidv-dev-landbridge-watch",
        "eidv-dev-landbridge-reaper",
    ]


def test_the_service_accounts_are_those_that_the_roles_trust() -> None:
    need = needs(load(EXAMPLE), "DEV")
    found: dict[Any, Any] = {
        one["metadata"]["name"]: one["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]
        for one in _of(rendered(), "ServiceAccount")
    }
    assert found == {
        role.trust.service_account: f"arn:aws:iam::210987654321:role/{role.name}"
        for role in (need.pod, need.operator, need.watch, need.reaper)
    }


def test_the_watch_tells_the_topic_that_the_storage_stack_makes() -> None:
    container = _container(_cron_job(rendered(), "eidv-dev-landbridge-watch"))
    told = {each["name"]: each.get("value") for each in container["env"]}["LANDBRIDGE_ALARM_TOPIC"]
    storage, *_ = stacks(load(EXAMPLE), "DEV")
    name = re.search(r"TopicName: !Sub \"(.+)\"", storage.template)
    assert name
    made = name[1].replace("${Name}", storage.parameters["Name"])
    assert told == f"arn:aws:sns:eu-west-2:210987654321:{made}"


def test_a_pod_gets_the_secrets_of_its_feed_and_no_others() -> None:
    env = {each["name"] for each in _container(_cron_job(rendered(), "eidv-dev-screening"))["env"]}
    assert "EIDV_PASSWORD" in env
    assert env & {"EIDV_TOKEN", "EIDV_API_KEY", "EIDV_CLIENT_SECRET"} == set()


def test_a_pods_memory_follows_its_feed(tmp_path: Path) -> None:
    made = manifests(_declared(tmp_path, memory=2048, kubernetes={"feed_scratch": {"orders": "8Gi"}}), "DEV")
    container = _container(_cron_job(made, "acme-dev-orders"))
    assert container["resources"]["limits"] == {"memory": "2560Mi", "ephemeral-storage": "8448Mi"}
    assert findings(made.objects) == []


def test_the_same_declaration_gives_the_same_text() -> None:
    assert package(rendered()) == package(manifests(load(EXAMPLE), "DEV"))


def test_what_runs_does_not_change_under_it(tmp_path: Path) -> None:
    made = _declared(tmp_path)
    before = manifests(made, "DEV")
    (tmp_path / "contracts" / "orders.odcs.yaml").write_text("# stricter\n")
    after = manifests(made, "DEV")
    maps = [[one["metadata"]["name"] for one in _of(each, "ConfigMap")] for each in (before, after)]
    assert maps[0] != maps[1]
    assert all(one["immutable"] for one in before.objects if one["kind"] == "ConfigMap")


def test_modules_of_python_sources_travel_with_what_they_import(tmp_path: Path) -> None:
    for name, text in {
        "rows.py": "import json\nfrom lib import shared\n",
        "lib/__init__.py": "",
        "lib/shared.py": "from . import deeper\n",
        "lib/deeper.py": "",
        "unrelated.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    made = manifests(
        _declared(tmp_path, sources={"rows": {"kind": "python", "function": "rows:rows"}}), "DEV"
    )
    (volume,) = [
        each["projected"]
        for each in _cron_job(made, "acme-dev-orders")["spec"]["jobTemplate"]["spec"]["template"]["spec"][
            "volumes"
        ]
        if each["name"] == "declaration"
    ]
    paths = {item["path"] for item in volume["sources"][0]["configMap"]["items"]}
    assert paths == {
        *("landbridge.yaml", "feeds/orders.yaml", "contracts/orders.odcs.yaml", "keys/receipts.pub"),
        *("rows.py", "lib/__init__.py", "lib/shared.py", "lib/deeper.py"),
    }


def test_more_than_a_config_map_holds_becomes_several(tmp_path: Path) -> None:
    made = _declared(tmp_path)
    for name in ("contracts/orders.odcs.yaml", "feeds/orders.yaml"):
        (tmp_path / name).write_text("#" * (MOST * 2 // 3))
    several = manifests(made, "DEV")
    assert len([one for one in several.objects if one["kind"] == "ConfigMap"]) == 2
    assert findings(several.objects) == []


MISTAKES: list[tuple[dict[str, object], dict[str, object], str]] = [
    ({"schedule": {"cron": "30 1 * * *"}}, {}, "would not fire"),
    ({"schedule": {"cron": "0 6 L * *"}}, {}, "cannot be scheduled"),
    ({}, {"environment": {}}, "no environment variable `API_URL`"),
    ({"sources": {"rows": {"kind": "files", "path": "in/*.csv", "format": "csv"}}}, {}, "on no volume"),
    ({}, {"time_limit": "5m"}, "may wait"),
    ({}, {"watch": {"every": "7m"}}, "cannot fire every"),
    ({}, {"retention": {"schedule": "0 3 L * *"}}, "cannot be scheduled"),
    ({}, {"watch": {"mail": ["a@example.org"], "smtp": "mail:25", "sender": "b@example.org"}}, "cannot be reached"),
    ({}, {"watch": {"webhook": "env:HOOK"}}, "no environment variable `HOOK`"),
    (
        {"sources": {"rows": {"kind": "rest", "url": "https://x", "auth": {"kind": "bearer", "token": "file:keys/t"}}}},
        {},
        "no file `keys/t`",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "kubernetes", "what"), MISTAKES, ids=[what for _, _, what in MISTAKES])
def test_what_cannot_be_put_on_a_cluster_is_told_with_its_place(
    tmp_path: Path, changes: dict[str, object], kubernetes: dict[str, object], what: str
) -> None:
    ready = {"ready": {"signal": {"kind": "rest", "url": "https://x"}, "limit": "10m"}}
    schedule = {"cron": "0 6 * * *", "time_zone": "Europe/London", **ready}
    schedule |= dict(changes.get("schedule", {}))  # type: ignore[call-overload] # a mapping
    made = _declared(tmp_path, kubernetes=kubernetes, **changes | {"schedule": schedule})
    with pytest.raises(DeclarationWrong) as raised:
        manifests(made, "DEV")
    assert [problem for problem in raised.value.problems if what in problem.what]
    assert all(problem.file for problem in raised.value.problems)


def test_a_private_key_never_enters_a_config_map(tmp_path: Path) -> None:
    made = _declared(tmp_path)
    (tmp_path / "keys" / "receipts.pub").write_text("-----BEGIN " + "PRIVATE KEY-----\n")
    with pytest.raises(DeclarationWrong) as raised:
        manifests(made, "DEV")
    assert "private key" in raised.value.problems[0].what


def test_an_environment_without_a_cluster_is_told() -> None:
    with pytest.raises(DeclarationWrong) as raised:
        manifests(declared(), "DEV")
    assert "no `kubernetes`" in raised.value.problems[0].what


NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,62}", fullmatch=True)


@given(st.lists(NAMES, min_size=2, max_size=6, unique=True))
def test_no_two_feeds_share_a_name_and_each_fits(feeds: list[str]) -> None:
    need = needs(declared(), "DEV")
    made = [names.cron_job(need, name) for name in feeds]
    assert len(set(made)) == len(made)
    assert all(len(name) <= 52 and name[-1].isalnum() for name in made)


@pytest.mark.parametrize(("first", "second"), [("a_b", "a-b"), ("x" * 62 + "a", "x" * 62 + "b"), ("a-", "a")])
def test_names_that_would_become_alike_stay_apart(first: str, second: str) -> None:
    need = needs(declared(), "DEV")
    assert names.cron_job(need, first) != names.cron_job(need, second)
    assert names.label(first) != names.label(second)


def test_a_feed_cannot_take_the_name_of_the_watch() -> None:
    need = needs(declared(), "DEV")
    assert names.cron_job(need, names.WATCH) != names.watch_job(need)
    assert names.cron_job(need, names.REAPER) != names.reaper_job(need)


@pytest.mark.parametrize("name", ["watch", "reaper"])
def test_a_feed_called_like_a_file_of_ours_keeps_its_cronjob(tmp_path: Path, name: str) -> None:
    own = _declared(tmp_path, feed=name, kubernetes={"retention": {"schedule": "0 3 * * *"}})
    (tmp_path / "feeds" / f"{name}.yaml").write_text("")
    jobs = {one["metadata"]["name"] for one in _of(manifests(own, "DEV"), "CronJob")}
    assert jobs == {f"acme-dev-{name}", "acme-dev-landbridge-watch", "acme-dev-landbridge-reaper"}


def _reaping(tmp_path: Path, **kubernetes: object) -> Manifests:
    return manifests(
        _declared(tmp_path, kubernetes={"retention": {"schedule": "0 3 * * 7"}, **kubernetes}), "DEV"
    )


def test_the_reaper_runs_on_a_cluster_only_when_it_is_declared(tmp_path: Path) -> None:
    assert "cronjob-reaper.yaml" not in manifests(_declared(tmp_path), "DEV").files
    made = _reaping(tmp_path)
    (job,) = made.files["cronjob-reaper.yaml"]
    assert "cronjob-reaper.yaml" in package(made)["kustomization.yaml"]
    assert "suspend: {{ .Values.suspend }}" in package(made)["helm/templates/cronjob-reaper.yaml"]
    spec: Any = job["spec"]
    assert (spec["schedule"], spec["timeZone"]) == ("0 3 * * 0", "Etc/UTC")
    assert findings(made.objects) == []


def test_the_reaper_removes_by_its_own_account_and_no_other(tmp_path: Path) -> None:
    made = _reaping(tmp_path)
    for job in _of(made, "CronJob"):
        pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        reaps = _container(job)["args"][0] == "reap"
        assert reaps == (pod["serviceAccountName"] == "landbridge-reaper")
        assert reaps == (job["metadata"]["name"] == "acme-dev-landbridge-reaper")
    reaper = _container(_cron_job(made, "acme-dev-landbridge-reaper"))
    assert reaper["args"] == ["reap", "--apply", "--environment", "DEV", "--project", "/etc/landbridge"]


def test_the_reaper_gets_the_key_of_receipts_and_no_secret_of_a_feed(tmp_path: Path) -> None:
    secret = {"secret": "given", "key": "k"}
    files = {"keys/receipts.pub": secret, "keys/t": secret}
    auth = {"kind": "bearer", "token": "file:keys/t"}
    made = manifests(
        _declared(
            tmp_path,
            sources={"rows": {"kind": "rest", "url": "env:API_URL", "auth": auth}},
            kubernetes={"retention": {"schedule": "0 3 * * *"}, "files": files},
        ),
        "DEV",
    )
    pod = _cron_job(made, "acme-dev-landbridge-reaper")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    text = json.dumps(pod)
    assert "keys/receipts.pub" in text
    assert 'keys/t"' not in text
    assert "API_URL" not in text


TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
VALUES = st.recursive(
    st.one_of(TEXTS, st.sampled_from(["no", "0600", "1e3", "a: b", "~", "a\n b\n", "x\n\n", "{{ x }}"]), st.integers(), st.booleans(), st.none()),
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(TEXTS, below, max_size=3)),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
def test_a_manifest_reads_back_as_it_was_meant(one: dict[str, object]) -> None:
    text = written([one])
    for version in ((1, 1), (1, 2)):
        reader = YAML(typ="safe", pure=True)
        reader.version = version
        assert json.loads(json.dumps(reader.load(text))) == one


def test_a_rendering_replaces_the_one_before_and_nothing_else(tmp_path: Path) -> None:
    write({"a.yaml": "1", "helm/b.yaml": "2"}, tmp_path)
    (tmp_path / "overlay.yaml").write_text("mine")
    write({"a.yaml": "3"}, tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*.yaml")) == ["a.yaml", "overlay.yaml"]
    assert (tmp_path / "a.yaml").read_text() == "3"
