"""Write the tables of streams and settings into `README.md`, as the tap itself describes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scripts.processes import ROOT
from tap_pinterest import api
from tap_pinterest.config import CONFIG_SCHEMA
from tap_pinterest.streams import STREAM_TYPES
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from tap_pinterest.streams.base import PinterestStream

README = ROOT / "README.md"


def streams() -> Iterator[str]:
    """The streams as the rows of a Markdown table."""
    yield "| stream | one record is | key | replication | group | scopes |"
    yield "|---|---|---|---|---|---|"
    found = TapPinterest(config={"stream_groups": ["all"]}, validate_config=False).streams
    for each in STREAM_TYPES:
        stream = found[str(vars(each)["name"])]
        keys = ", ".join(f"`{key}`" for key in stream.primary_keys)
        how = "by `date`" if stream.replication_key else "whole"
        scopes = ", ".join(api.operation(f"GET {each.path}").scopes)
        yield f"| `{stream.name}` | {_meaning(each)} | {keys} | {how} | {each.group} | {scopes} |"


def _meaning(stream: type[PinterestStream]) -> str:
    """The first sentence of the docstring."""
    text = re.sub(r"\s+", " ", stream.__doc__ or "").strip()
    return re.split(r"(?<=\.) |: ", text, maxsplit=1)[0].rstrip(".")


def settings() -> Iterator[str]:
    """The tap's own settings as the rows of a Markdown table."""
    yield "| setting | default | meaning |"
    yield "|---|---|---|"
    for name, schema in CONFIG_SCHEMA["properties"].items():
        allowed = [f"`{value}`" for value in schema.get("enum", ()) if value is not None]
        values = f" One of {', '.join(allowed)}." if allowed else ""
        yield f"| `{name}` | {_default(schema)} | {schema['description']}{values} |"


def _default(schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    if default is None or default == "":
        return ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{', '.join(default)}`" if isinstance(default, list) else f"`{default}`"


def written(text: str) -> str:
    """The README's text with its tables as they should be."""
    for name, rows in (("streams", streams()), ("settings", settings())):
        begin, end = f"<!-- {name}: written by make settings -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = "\n".join((f"{before}{begin}", "", *rows, "", f"{end}{after}"))
    return text


def main() -> None:
    """Replace the tables, and leave the rest of the file as it is."""
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
