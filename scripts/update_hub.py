"""Write `docs/hub`: the definition of the tap for Meltano Hub.

Facts that are also in `meltano.yml` come from that file; all other facts are here.
"""

from __future__ import annotations

import io
import tomllib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ruamel.yaml import YAML

from scripts.processes import ROOT
from scripts.update_meltano_yml import LINE_LENGTH, MELTANO_YML

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "tap-pinterest"
_ABBREVIATIONS = {"Id": "ID", "Ids": "IDs", "Url": "URL", "Oauth": "OAuth", "Api": "API"}
_SMALL = {"Of", "In", "By", "To", "And"}


def definition() -> dict[str, Any]:
    """The definition, with its members in the order that the Hub uses."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (tap,) = YAML(typ="safe").load(MELTANO_YML)["plugins"]["extractors"]
    repository = project.get("urls", {}).get("Repository")
    owner = urlsplit(repository or "").path.strip("/").partition("/")[0]
    return {
        "name": NAME,
        "variant": owner or NAME,
        **{key: tap[key] for key in ("label", "namespace", "executable")},
        "description": "Ads, their daily numbers, boards and Pins from Pinterest's API v5.",
        # There is no package yet, and its name on PyPI may come to be somebody else's. Without an
        # address in [project.urls] it installs from the clone that Meltano runs in.
        "pip_url": f"git+{repository}" if repository else ".",
        **({"repo": repository} if repository else {}),
        "domain_url": "https://developers.pinterest.com/docs/api/v5/",
        "logo_url": "/assets/logos/extractors/pinterest-ads.png",
        "maintenance_status": "beta",
        "keywords": ["api", "meltano_sdk", "advertising", "marketing", "social"],
        "capabilities": tap["capabilities"],
        "select": ["*.*"],
        "settings_group_validation": tap["settings_group_validation"],
        "prereq": (
            "An app at [developers.pinterest.com](https://developers.pinterest.com/apps/) with the "
            "redirect address `http://localhost:8085/`."
        ),
        "settings_preamble": (
            "Ids, groups, columns and other lists are YAML or JSON lists, or one text with commas. "
            "With `client_id` and `client_secret` alone, run `tap-pinterest-login` once."
        ),
        "next_steps": (
            "1. Sign in: `meltano invoke tap-pinterest:login` opens Pinterest's consent page and "
            "stores the tokens.\n"
            "2. See what can be read: `meltano invoke tap-pinterest:test`."
        ),
        "commands": tap["commands"],
        "settings": [labelled(each) for each in tap["settings"]],
    }


def labelled(setting: Mapping[str, Any]) -> dict[str, Any]:
    """A setting with a name for people."""
    words = setting["name"].rpartition(".")[2].split("_")
    first, *others = map(_titled, words)
    label = " ".join([first, *(word.lower() if word in _SMALL else word for word in others)])
    return {"name": setting["name"], "label": label, **setting}


def _titled(word: str) -> str:
    title = word.title()
    return _ABBREVIATIONS.get(title, title)


def path() -> Path:
    """The path of the file, as it would be below `_data/meltano` at the Hub."""
    return ROOT / "docs" / "hub" / "extractors" / NAME / f"{definition()['variant']}.yml"


def written() -> str:
    """The file's text."""
    yaml = YAML()
    yaml.width = LINE_LENGTH
    text = io.StringIO()
    yaml.dump(definition(), text)
    return text.getvalue()


def main() -> None:
    """Write the file."""
    path().parent.mkdir(parents=True, exist_ok=True)
    path().write_text(written(), encoding="utf-8")


if __name__ == "__main__":
    main()
