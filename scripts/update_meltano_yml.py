"""Write the tap's settings into `meltano.yml`, as the tap itself describes them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from scripts.processes import ROOT, command

if TYPE_CHECKING:
    from collections.abc import Mapping

MELTANO_YML = ROOT / "meltano.yml"
# No folding: it leaves spaces at the ends of lines.
LINE_LENGTH = 10_000

_KINDS = ("boolean", "integer", "object")


def described_settings() -> list[dict[str, Any]]:
    """The settings of `tap-pinterest --about` as Meltano's setting definitions."""
    about = subprocess.run(
        [command("tap-pinterest"), "--about", "--format=json"],
        check=True,
        capture_output=True,
        text=True,
    )
    properties = json.loads(about.stdout)["settings"]["properties"]
    return [
        setting(name, each)
        for outer, schema in properties.items()
        for name, each in _members(outer, schema).items()
    ]


def _members(name: str, schema: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The setting, or the members of an object with secrets: so Meltano can hide the secrets."""
    members = schema.get("properties", {})
    if any(each.get("secret") for each in members.values()):
        return {f"{name}.{member}": each for member, each in members.items()}
    return {name: schema}


def setting(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """One of the tap's settings as a setting definition."""
    definition: dict[str, Any] = {"name": name, "kind": _kind(schema)}
    if schema.get("secret"):
        definition["sensitive"] = True
    if "default" in schema:
        definition["value"] = schema["default"]
    if definition["kind"] == "options":
        definition["options"] = [
            {"label": value, "value": value} for value in schema["enum"] if value is not None
        ]
    if "description" in schema:
        definition["description"] = schema["description"]
    return definition


def _kind(schema: Mapping[str, Any]) -> str:
    types = schema["type"]
    if "string" in types:
        # A list may be a comma-separated text, which Meltano refuses where the kind is `array`.
        return "options" if "enum" in schema else "string"
    return next((kind for kind in _KINDS if kind in types), "array")


def main() -> None:
    """Replace the settings of tap-pinterest, and do not change the rest of the file."""
    yaml = YAML()
    yaml.width = LINE_LENGTH
    yaml.preserve_quotes = True
    document = yaml.load(MELTANO_YML)
    (tap,) = document["plugins"]["extractors"]
    tap["settings"] = described_settings()
    with MELTANO_YML.open("w", encoding="utf-8") as file:
        yaml.dump(document, file)


if __name__ == "__main__":
    main()
