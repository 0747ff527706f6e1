"""What does a Kubernetes API server answer to `kubectl diff`, `apply --server-side`, `get` and `delete`?

A small one on loopback, for tests of our use of kubectl: discovery, server-side apply with field managers and conflicts, dry
run, lists by label, rights. It validates nothing and starts no pods: a real cluster was not at hand.

Source: Kubernetes API concepts, "Server-Side Apply", "Resource URIs", "Aggregated discovery".
"""

from __future__ import annotations

import copy
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KINDS = {
    ("", "v1", "serviceaccounts"): "ServiceAccount",
    ("", "v1", "configmaps"): "ConfigMap",
    ("batch", "v1", "cronjobs"): "CronJob",
    ("networking.k8s.io", "v1", "networkpolicies"): "NetworkPolicy",
}


@dataclass
class Kube:
    """The state of the cluster, and what it was asked."""

    namespaces: set[str] = field(default_factory=lambda: {"eidv-reports"})
    objects: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    """By namespace, resource and name."""
    owners: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    """What each field manager applied last, by the same key."""
    writes: list[str] = field(default_factory=list)
    forbidden: bool = False

    def patched(
        self, key: tuple[str, str, str], wanted: dict[str, Any], manager: str, *, dry: bool
    ) -> tuple[int, dict[str, Any]]:
        if key[0] not in self.namespaces:
            return 404, status(404, "NotFound", f'namespaces "{key[0]}" not found')
        others = {name: one for name, one in self.owners.get(key, {}).items() if name != manager}
        for name, theirs in others.items():
            if theirs != wanted:
                what = f'Apply failed with 1 conflict: conflict with "{name}": .spec'
                return 409, status(409, "Conflict", what)
        now = self.objects.get(key)
        made = copy.deepcopy(wanted)
        metadata = made["metadata"]
        metadata["uid"] = "11111111-2222-3333-4444-555555555555"
        metadata["creationTimestamp"] = "2026-11-20T06:00:00Z"
        changed = now is None or {**now, "metadata": {**now["metadata"], "resourceVersion": ""}} != {
            **made,
            "metadata": {**metadata, "resourceVersion": ""},
        }
        old = int(now["metadata"]["resourceVersion"]) if now else 0
        metadata["resourceVersion"] = str(old + (1 if changed else 0))
        if not dry:
            self.objects[key] = made
            self.owners.setdefault(key, {})[manager] = wanted
            if changed:
                self.writes.append(f"{key[1]}/{key[2]}")
        return (201 if now is None else 200), made


def status(code: int, reason: str, message: str) -> dict[str, Any]:
    """Give the document that an API server answers with when it refuses."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }


class _Handler(BaseHTTPRequestHandler):
    kube: Kube
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        pass

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        found = _discovery(url.path)
        if found is not None:
            self._answer(200, found)
            return
        key, kind = _key(url.path)
        if self.kube.forbidden:
            self._answer(403, status(403, "Forbidden", "cronjobs.batch is forbidden: User cannot list"))
        elif key is None:
            self._answer(404, status(404, "NotFound", "the server could not find the requested resource"))
        elif key[2]:
            one = self.kube.objects.get(key)
            missing = status(404, "NotFound", f'{key[1]} "{key[2]}" not found')
            self._answer(200 if one else 404, one or missing)
        else:
            self._answer(200, self._list(key, kind, parse_qs(url.query)))

    def _list(self, key: tuple[str, str, str], kind: str, query: dict[str, list[str]]) -> dict[str, Any]:
        selector = dict(part.split("=") for part in query.get("labelSelector", [""])[0].split(",") if part)
        items = [
            one
            for (namespace, resource, _), one in self.kube.objects.items()
            if (namespace, resource) == key[:2]
            and selector.items() <= one["metadata"].get("labels", {}).items()
        ]
        api = next(f"{g}/{v}".strip("/") for (g, v, r) in KINDS if r == key[1])
        return {
            "kind": f"{kind}List",
            "apiVersion": api,
            "metadata": {"resourceVersion": "1"},
            "items": items,
        }

    def do_PATCH(self) -> None:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        wanted = json.loads(json.dumps(YAML(typ="safe", pure=True).load(body)))
        key, _ = _key(url.path)
        assert key is not None
        assert self.headers["Content-Type"].startswith("application/apply-patch")
        if self.kube.forbidden:
            self._answer(403, status(403, "Forbidden", "cronjobs.batch is forbidden: User cannot patch"))
            return
        dry = query.get("dryRun") == ["All"]
        self._answer(*self.kube.patched(key, wanted, query["fieldManager"][0], dry=dry))

    def do_DELETE(self) -> None:
        if length := int(self.headers.get("Content-Length") or 0):
            self.rfile.read(length)
        key, _ = _key(urlsplit(self.path).path)
        assert key is not None
        one = self.kube.objects.pop(key)
        self.kube.writes.append(f"deleted {key[1]}/{key[2]}")
        self._answer(200, one)

    def _answer(self, code: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _discovery(path: str) -> dict[str, Any] | None:
    groups = sorted({(group, version) for group, version, _ in KINDS if group})
    match path.strip("/").split("/"):
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"]}
        case ["apis"]:
            some = [{"groupVersion": f"{g}/{v}", "version": v} for g, v in groups]
            return {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": [
                    {
                        "name": one["groupVersion"].partition("/")[0],
                        "versions": [one],
                        "preferredVersion": one,
                    }
                    for one in some
                ],
            }
        case ["version"]:
            return {"major": "1", "minor": "37", "gitVersion": "v1.37.0"}
        case ["api", version]:
            return _resources("", version)
        case ["apis", group, version]:
            return _resources(group, version)
        case ["openapi", "v3"]:
            urls = ["api/v1", *(f"apis/{g}/{v}" for g, v in groups)]
            return {"paths": {url: {"serverRelativeURL": f"/openapi/v3/{url}?hash=1"} for url in urls}}
        case ["openapi", "v3", *rest]:
            return _openapi("/".join(rest))
        case _:
            return None


def _resources(group: str, version: str) -> dict[str, Any]:
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}".strip("/"),
        "resources": [
            {"name": name, "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": verbs}
            for (g, _, name), kind in KINDS.items()
            if g == group
        ],
    }


def _openapi(under: str) -> dict[str, Any]:
    group = "" if under == "api/v1" else under.split("/")[1]
    parameters = [{"name": name, "in": "query"} for name in ("dryRun", "fieldValidation", "fieldManager")]
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.37.0"},
        "paths": {
            f"/{under}/namespaces/{{namespace}}/{name}/{{name}}": {
                "patch": {
                    "parameters": parameters,
                    "responses": {"200": {"description": "OK"}},
                    "x-kubernetes-group-version-kind": {"group": g, "version": version, "kind": kind},
                }
            }
            for (g, version, name), kind in KINDS.items()
            if g == group
        },
    }


def _key(path: str) -> tuple[tuple[str, str, str] | None, str]:
    parts = path.strip("/").split("/")
    parts = parts[2:] if parts[0] == "api" else parts[3:]
    if len(parts) < 3 or parts[0] != "namespaces":
        return None, ""
    kind = next((kind for (_, _, name), kind in KINDS.items() if name == parts[2]), "")
    return (parts[1], parts[2], parts[3] if len(parts) > 3 else ""), kind


@contextmanager
def running(config: Path) -> Iterator[Kube]:
    """Serve on loopback, and write the configuration of a kubectl that knows it as the context `here`."""
    kube = Kube()
    handler = type("Handler", (_Handler,), {"kube": kube})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    config.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [
                    {"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_address[1]}"}}
                ],
                "users": [{"name": "u", "user": {"token": "made-up"}}],
                "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "here",
            }
        )
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kube
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
