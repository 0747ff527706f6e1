"""Is each realistic mistake in a manifest found, and told by the failure that it leads to?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from landbridge.deploy.kubernetes.checks import findings
from landbridge.errors import Exit
from tests.deploy.manifests import objects

if TYPE_CHECKING:
    from collections.abc import Callable


def _pod(job: Any) -> Any:
    return job["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def _box(job: Any) -> Any:
    return _pod(job)["containers"][0]


def _rules(job: Any) -> Any:
    return job["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]


def _spec(job: Any) -> Any:
    return job["spec"]["jobTemplate"]["spec"]


def _set(at: Callable[[Any], Any], **keys: object) -> Callable[[Any], None]:
    return lambda job: at(job).update(keys)


def _gone(at: Callable[[Any], Any], *keys: str) -> Callable[[Any], None]:
    def spoil(job: Any) -> None:
        for key in keys:
            del at(job)[key]

    return spoil


def _variable(name: str, value: object) -> Callable[[Any], None]:
    return lambda job: _box(job)["env"].append({"name": name, "value": value})


def _itself(job: Any) -> Any:
    return job["spec"]


MISTAKES: list[tuple[str, Callable[[Any], object]]] = [
    ("schedule-unreadable", _set(_itself, schedule="0 6 * *")),
    ("schedule-unreadable", _set(_itself, schedule="0 25 * * *")),
    ("schedule-unreadable", _set(_itself, schedule="0 6 L * *")),
    ("schedule-unreadable", _set(_itself, schedule="0 6 * * 7")),
    ("schedule-unreadable", _set(_itself, schedule="TZ=Europe/London 0 6 * * *")),
    ("key-unknown", lambda job: _spec(job).update(backOffLimit=3)),
    ("key-unknown", lambda job: _spec(job)["template"]["spec"].update(restartpolicy="Never")),
    ("key-unknown", lambda job: _box(job).update(arguments=[])),
    ("key-unknown", lambda job: _itself(job).update(timezone="UTC")),
    ("zone-unknown", _set(_itself, timeZone="Europe/Londn")),
    ("zone-missing", _gone(_itself, "timeZone")),
    ("enum-unknown", _set(_itself, concurrencyPolicy="Forbidden")),
    ("overlapping-runs", _set(_itself, concurrencyPolicy="Allow")),
    ("overlapping-runs", _set(_itself, concurrencyPolicy="Replace")),
    ("start-unbounded", _gone(_itself, "startingDeadlineSeconds")),
    ("start-too-soon", _set(_itself, startingDeadlineSeconds=5)),
    ("suspended", _set(_itself, suspend=True)),
    ("history-unbounded", _gone(_itself, "failedJobsHistoryLimit")),
    ("run-unbounded", _gone(_spec, "activeDeadlineSeconds")),
    ("deadline-before-end", _set(_spec, activeDeadlineSeconds=600)),
    ("jobs-pile-up", _gone(_spec, "ttlSecondsAfterFinished")),
    ("tries-unbounded", _set(_spec, backoffLimit=1000)),
    ("broken-data-retried", _gone(_spec, "podFailurePolicy")),
    ("broken-data-retried", lambda job: _rules(job)[1]["onExitCodes"]["values"].remove(65)),
    ("never-tried-again", lambda job: _rules(job)[1]["onExitCodes"]["values"].append(75)),
    ("success-as-failure", lambda job: _rules(job)[1]["onExitCodes"]["values"].append(0)),
    ("eviction-counts", lambda job: _rules(job).pop(0)),
    ("policy-of-nobody", lambda job: _rules(job)[1]["onExitCodes"].update(containerName="main")),
    ("enum-unknown", lambda job: _rules(job)[1].update(action="Fail")),
    ("enum-unknown", lambda job: _rules(job)[1]["onExitCodes"].update(operator="in")),
    ("restarted-in-place", _set(_pod, restartPolicy="Always")),
    ("restarted-in-place", _set(_pod, restartPolicy="OnFailure")),
    ("cluster-token-mounted", _gone(_pod, "automountServiceAccountToken")),
    ("host-shared", _set(_pod, hostNetwork=True)),
    ("seccomp-missing", lambda job: _pod(job)["securityContext"].pop("seccompProfile")),
    ("runs-as-root", lambda job: _pod(job)["securityContext"].update(runAsUser=0)),
    ("runs-as-root", lambda job: _pod(job)["securityContext"].pop("runAsNonRoot")),
    ("account-missing", _set(_pod, serviceAccountName="landbrige")),
    ("volume-missing", lambda job: _pod(job)["volumes"].pop(0)),
    ("volume-unused", lambda job: _pod(job)["volumes"].append({"name": "spare", "emptyDir": {"sizeLimit": "1Mi"}})),
    ("host-path", lambda job: _pod(job)["volumes"][0].update(hostPath={"path": "/var/tmp"})),
    ("volume-unknown", lambda job: _pod(job)["volumes"].__setitem__(0, {"name": "scratch", "emptydir": {}})),
    ("scratch-unbounded", lambda job: _pod(job)["volumes"][0].update(emptyDir={})),
    ("quantity-unreadable", lambda job: _pod(job)["volumes"][0]["emptyDir"].update(sizeLimit="2GB")),
    ("quantity-unreadable", lambda job: _box(job)["resources"]["limits"].update(memory="2GB")),
    ("quantity-unreadable", lambda job: _box(job)["resources"]["requests"].update(cpu="half")),
    ("limit-missing", lambda job: _box(job)["resources"].pop("limits")),
    ("limit-missing", lambda job: _box(job)["resources"]["limits"].pop("ephemeral-storage")),
    ("limit-missing", lambda job: _box(job)["resources"]["requests"].pop("cpu")),
    ("limit-below-request", lambda job: _box(job)["resources"]["limits"].update(memory="512Mi")),
    ("cpu-limit", lambda job: _box(job)["resources"]["limits"].update(cpu="1")),
    ("evicted-when-full", lambda job: _pod(job)["volumes"][0]["emptyDir"].update(sizeLimit="8Gi")),
    ("nowhere-to-write", lambda job: _box(job)["volumeMounts"].pop(0)),
    ("image-by-tag", _set(_box, image="registry.example.internal/landbridge:1.4")),
    ("enum-unknown", _set(_box, imagePullPolicy="IfNotpresent")),
    ("date-from-now", _set(_box, args=["run", "verifications", "--date", "latest"])),
    ("date-from-now", _set(_box, command=["sh", "-c", "landbridge run verifications --date $(date +%F)"])),
    ("date-fixed", _set(_box, args=["run", "verifications", "--date", "2026-11-20"])),
    ("other-environment", _set(_box, args=["run", "verifications", "--environment", "PRD"])),
    ("slot-unknown", lambda job: _box(job)["env"].pop(1)),
    (
        "slot-unknown",
        lambda job: _box(job)["env"][1]["valueFrom"]["fieldRef"].update(
            fieldPath="metadata.annotations['batch.kubernetes.io/cronjob-scheduled-timestamp']"
        ),
    ),
    ("secret-in-clear", _variable("EIDV_TOKEN_2", "s3cr3t")),
    ("secret-in-clear", _variable("DATABASE", "postgresql://landbridge:s3cr3t@db.example.internal/eidv")),
    ("secret-in-clear", _variable("AWS_ACCESS_KEY_ID", "AKIA" + "IOSFODNN7EXAMPLE")),
    ("variable-no-text", _variable("LEVEL", 3)),
    ("variable-empty", lambda job: _box(job)["env"].append({"name": "EMPTY"})),
    ("variable-twice", _variable("AWS_REGION", "eu-west-1")),
    ("port-closed", _variable("DATABASE", "postgresql://db.example.internal/eidv")),
    ("port-closed", _variable("API", "https://api.example.internal:8443/")),
    ("privileges-gained", lambda job: _box(job)["securityContext"].update(allowPrivilegeEscalation=True)),
    ("image-writable", lambda job: _box(job)["securityContext"].pop("readOnlyRootFilesystem")),
    ("privileged", lambda job: _box(job)["securityContext"].update(privileged=True)),
    ("capabilities-kept", lambda job: _box(job)["securityContext"]["capabilities"].update(add=["NET_RAW"])),
    ("name-refused", lambda job: job["metadata"].update(name="v" * 53)),
    ("name-refused", lambda job: job["metadata"].update(name="eidv_dev")),
    ("namespace-differs", lambda job: job["metadata"].update(namespace="default")),
    ("label-refused", lambda job: job["metadata"]["labels"].update(team="eidv platform")),
    ("kind-unknown", lambda job: job.update(apiVersion="batch/v1beta1")),
    ("network-open", lambda job: _spec(job)["template"]["metadata"]["labels"].pop("app.kubernetes.io/instance")),
    ("config-missing", lambda job: _pod(job)["volumes"][1]["projected"]["sources"][0]["configMap"].update(name="x")),
    (
        "config-key-missing",
        lambda job: _pod(job)["volumes"][1]["projected"]["sources"][0]["configMap"]["items"][0].update(key="x"),
    ),
]  # fmt: skip


def _found(spoilt: list[Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in findings(spoilt):
        found.setdefault(one.rule, set()).add(one.object)
    return found


@pytest.mark.parametrize(
    ("rule", "spoil"), MISTAKES, ids=[f"{n}-{rule}" for n, (rule, _) in enumerate(MISTAKES)]
)
def test_a_planted_mistake_is_found(rule: str, spoil: Callable[[Any], object]) -> None:
    spoilt: list[Any] = objects()
    job = next(one for one in spoilt if one["metadata"]["name"] == "eidv-dev-verifications")
    spoil(job)
    found = _found(spoilt)
    assert rule in found
    assert found[rule] == {f"CronJob/{job['metadata']['name']}"} or rule == "namespace-differs"


def test_what_is_rendered_has_none() -> None:
    assert [str(one) for one in findings(objects())] == []


def test_there_are_enough_of_them() -> None:
    assert len({rule for rule, _ in MISTAKES}) > 40


def _policy(name: str, spoilt: list[Any]) -> Any:
    return next(one for one in spoilt if one["metadata"]["name"] == f"eidv-dev-{name}")


AROUND: list[tuple[str, Callable[[list[Any]], object]]] = [
    ("network-open", lambda all_: all_.remove(_policy("deny", all_))),
    ("network-open", lambda all_: _policy("aws", all_)["spec"]["egress"][0].pop("ports")),
    ("names-unresolved", lambda all_: all_.remove(_policy("dns", all_))),
    ("let-in", lambda all_: _policy("deny", all_)["spec"].update(ingress=[{}])),
    ("enum-unknown", lambda all_: _policy("deny", all_)["spec"].update(policyTypes=["Outgress"])),
    ("enum-unknown", lambda all_: _policy("aws", all_)["spec"]["egress"][0]["ports"][0].update(protocol="tcp")),
    ("node-credentials", lambda all_: _policy("aws", all_)["spec"]["egress"][0]["to"][0]["ipBlock"].pop("except")),
    ("policy-of-nobody", lambda all_: _policy("aws", all_)["spec"]["podSelector"]["matchLabels"].update(x="y")),
    ("object-twice", lambda all_: all_.append(all_[0])),
    ("config-too-large", lambda all_: next(o for o in all_ if o["kind"] == "ConfigMap")["data"].update(x="y" * (1 << 20))),
    ("config-unused", lambda all_: all_.append(next(o for o in all_ if o["kind"] == "ConfigMap") | {"metadata": {"name": "spare", "namespace": "eidv-reports"}})),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "spoil"), AROUND, ids=[f"{n}-{rule}" for n, (rule, _) in enumerate(AROUND)])
def test_a_mistake_around_the_jobs_is_found(rule: str, spoil: Callable[[list[Any]], object]) -> None:
    spoilt: list[Any] = objects()
    spoil(spoilt)
    assert rule in _found(spoilt)


def test_a_secret_is_not_repeated() -> None:
    spoilt: list[Any] = objects()
    job = next(one for one in spoilt if one["metadata"]["name"] == "eidv-dev-verifications")
    _box(job)["env"].append({"name": "EIDV_SECRET", "value": "hunter2"})
    told = [str(one) for one in findings(spoilt)]
    assert told
    assert not any("hunter2" in one for one in told)


def test_every_exit_code_but_zero_is_decided_on() -> None:
    job = next(one for one in objects() if one["kind"] == "CronJob")
    rules: list[Any] = _rules(job)
    decided = {code for rule in rules for code in rule.get("onExitCodes", {}).get("values", [])}
    assert decided == set(Exit) - {Exit.DONE}
