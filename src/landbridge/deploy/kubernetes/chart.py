"""How does a Helm chart say the same as the plain manifests, with the few values that an installation may choose?

The objects stand in the templates as they are rendered; only what somebody outside the declaration decides is a value.
Whatever looks like a template in the declaration's own files is written so that Helm leaves it alone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from landbridge import __version__
from landbridge.deploy.kubernetes.checks.finding import POD, at
from landbridge.deploy.kubernetes.text import written

if TYPE_CHECKING:
    from landbridge.deploy.kubernetes.render import Manifests
    from landbridge.deploy.kubernetes.text import Object

_VALUES = {
    "image": ("string", r"^.+@sha256:[0-9a-f]{64}$", "The image, by its digest."),
    "namespace": (
        "string",
        r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
        "Where everything is put. The roles trust this one.",
    ),
    "suspend": ("boolean", "", "No job is started while this is true."),
}
_MARK = "\u241f{}\u241f"
"""Stands for a value while the text is made: a character (symbol for unit separator) that no manifest holds."""


def chart(made: Manifests) -> dict[str, str]:
    """Give the files of the chart."""
    values: dict[str, object] = {"image": _image(made), "namespace": made.namespace, "suspend": False}
    schema = {
        "$schema": "https://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": False,
        "required": list(_VALUES),
        "properties": {
            # Helm hands every chart the values under `global`.
            "global": {"type": "object"},
            **{
                name: {"type": kind, **({"pattern": pattern} if pattern else {}), "description": about}
                for name, (kind, pattern, about) in _VALUES.items()
            },
        },
    }
    meta: Object = {
        "apiVersion": "v2",
        "name": f"landbridge-{made.name}",
        "description": f"The feeds of {made.name}, as Landbridge rendered them",
        "type": "application",
        "version": "0.1.0",
        "appVersion": __version__,
    }
    about = "\n".join(f"{name}: {text}" for name, (_, _, text) in _VALUES.items())
    return {
        "Chart.yaml": written([meta]).removeprefix("---\n"),
        "values.yaml": written([values], comment=about),
        "values.schema.json": json.dumps(schema, indent=2) + "\n",
        **{
            f"templates/{name}": _template(written([_marked(one) for one in objects]))
            for name, objects in made.files.items()
        },
    }


def _image(made: Manifests) -> str:
    images = {
        str(at(one, *POD, "containers", 0, "image")) for one in made.objects if one["kind"] == "CronJob"
    }
    (image,) = images  # one image for all; the watch is always there
    return image


def _marked(one: Object) -> Object:
    copy: Object = json.loads(json.dumps(one))
    metadata = copy["metadata"]
    if isinstance(metadata, dict):
        metadata["namespace"] = _MARK.format("namespace")
    spec, container = copy.get("spec"), at(copy, *POD, "containers", 0)
    if copy["kind"] == "CronJob" and isinstance(spec, dict) and isinstance(container, dict):
        spec["suspend"] = _MARK.format("suspend")
        container["image"] = _MARK.format("image")
    return copy


def _template(text: str) -> str:
    plain = text.replace("{{", "\u241e").replace("}}", '{{ "}}" }}').replace("\u241e", '{{ "{{" }}')
    for name, (kind, _, _) in _VALUES.items():
        value = f"{{{{ .Values.{name}{' | quote' if kind == 'string' else ''} }}}}"
        plain = plain.replace(json.dumps(_MARK.format(name), ensure_ascii=False), value)
    return plain
