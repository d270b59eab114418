"""Write the parts of the dbt project that follow from the tap: columns, types and descriptions."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ruamel.yaml import YAML

from scripts.processes import ROOT
from tap_pinterest.dictionary import Described
from tap_pinterest.records.display_names import RESERVED_COLUMNS
from tap_pinterest.tap import TapPinterest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tap_pinterest.streams.bases.stream import PinterestStream

FOLDER = ROOT / "transform"
TEXTS = FOLDER / "texts.yml"
COLUMNS = FOLDER / "macros" / "columns.sql"
FACTS = ROOT / "tap_pinterest" / "dictionary" / "facts.json"

STAGED = {
    "ad_accounts": "ad_accounts",
    "campaigns": "campaigns",
    "ad_groups": "ad_groups",
    "ads": "ads",
    "keywords": "keywords",
    "product_group_promotions": "product_group_promotions",
    "pins": "pins",
    "boards": "boards",
    "user_accounts": "user_account",
    "user_account_metrics": "user_account_metrics",
    "user_account_daily": "user_account_analytics",
    "pin_daily": "pin_analytics",
    "targeting_options": "targeting_options",
    "ad_account_countries": "ad_account_countries",
    "days": "metrics_ready_state",
    "sync_log": "sync_log",
    "listed_items": "listed_items",
    "complete_lists": "complete_lists",
    **{
        f"{each}_daily": f"{each}_analytics"
        for each in ("ad_account", "campaign", "ad_group", "ad")
    },
    **{f"{each}_daily": f"{each}_analytics" for each in ("keyword", "product_group")},
    **{
        f"{each}_targeting_daily": f"{each}_targeting_analytics"
        for each in ("ad_account", "campaign", "ad_group", "ad", "product_group")
    },
    "ad_window_daily": "ad_analytics",
}
"""The staging models, each with the table that it is made from."""

IDS = {
    "ad_accounts": "ad_account_id",
    "campaigns": "campaign_id",
    "ad_groups": "ad_group_id",
    "ads": "ad_id",
    "keywords": "keyword_id",
    "product_group_promotions": "product_group_id",
    "pins": "pin_id",
    "boards": "board_id",
    "user_account": "user_id",
    "user_account_metrics": "user_id",
}
"""The name that the column `id` of a table has in all models."""

LEFT_OUT = frozenset({"__sync_key", "extra_fields", "advertiser_id", "pin_promotion_id"})
"""Columns that repeat others, or that only the loaded table needs."""

MORE_METRICS = ("total_conversions_quantity", "total_conversions_value_in_micro_dollar")
"""Metrics that the models show although the tap does not load them by default."""

OF_LAYOUT = {
    "click_window_days": "click_window_days",
    "engagement_window_days": "__engagement_window_days",
    "view_window_days": "__view_window_days",
    "conversion_report_time": "__conversion_report_time",
}
"""The attribution settings that Daasity's table of ad accounts has, and reports do not."""

_COLUMNS_OF = """{% macro columns_of(table) %}
  {% set columns = context['columns_of_' ~ table]() %}
  {% if table not in tap_pinterest.report_tables() %}{% do return(columns) %}{% endif %}
  {% do return(columns + tap_pinterest.more_columns(columns | map('first') | list)) %}
{% endmacro %}
"""
MONEY = ("currency", "micro_currency")
_yaml = YAML(typ="safe")


class Column(NamedTuple):
    """A column of a staging model.

    Attributes:
        name: Its name in the models.
        sources: Columns of the table with their kinds; the first with a value counts.
        text: Its description.
    """

    name: str
    sources: list[tuple[str, str]]
    text: str


class Tables:
    """The columns of the staging models, by table."""

    def __init__(self) -> None:
        """Ask the tap for its streams, all groups on."""
        config = {"stream_groups": ["all"], "removed_items": True}
        tap = TapPinterest(config=config, validate_config=False)
        self._streams = {name: cast("PinterestStream", each) for name, each in tap.streams.items()}
        facts = json.loads(FACTS.read_text(encoding="utf-8"))
        self._reports, self._others = facts["report_columns"], facts["streams"]
        self.of_reports = sorted({*self._reports, *RESERVED_COLUMNS, *LEFT_OUT})
        self.by_table = {
            table: list(self._columns(table))
            for table in sorted({*STAGED.values()})
            if table in self._streams
        }

    @property
    def reports(self) -> list[str]:
        """Tables of ads reports."""
        return [name for name in self.by_table if self._is_report(name)]

    def path_of(self, table: str) -> str:
        """The path in Pinterest's description that leads to a row of a table."""
        path: str = self._streams[table].path
        return path

    def _is_report(self, table: str) -> bool:
        return Described(table, self._streams[table].path).is_ad_report

    def _columns(self, table: str) -> Iterator[Column]:
        stream = self._streams[table]
        known = Described(table, stream.path)
        facts = self._reports if known.is_ad_report else self._others.get(table, {})
        shapes = dict(stream.schema["properties"])
        if known.is_ad_report:
            shapes |= {name: {"type": ["number", "null"]} for name in MORE_METRICS}
        found: dict[str, Column] = {}
        for field, shape in shapes.items():
            fact = facts.get(field, {})
            if field in LEFT_OUT or (known.is_ad_report and _is_ratio(fact)):
                continue
            name = IDS[table] if field == "id" and table in IDS else _short(field, fact)
            meaning = known.field(field)
            text = _in_units(meaning.description) if meaning else ""
            column = found.setdefault(name, Column(name, [], text))
            column.sources.append((field, _kind(shape, fact)))
        if table == "ad_accounts":
            found |= {column.name: column for column in _of_layout()}
        yield from found.values()


def _of_layout() -> Iterator[Column]:
    known = Described("ad_analytics")
    for name, field in OF_LAYOUT.items():
        kind = "integer" if name.endswith("_days") else "text"
        meaning = known.field(name)
        text = f"{meaning.description} " if meaning else ""
        yield Column(name, [(field, kind)], f"{text}Only in Daasity's layout.")


def _is_ratio(fact: Mapping[str, Any]) -> bool:
    """Whether a metric is divided: the models have the sums to divide instead."""
    unit = fact.get("unit")
    adds_up = bool(fact.get("adds_up"))
    divided = "parts" in fact or unit in {"ratio", "percent", "multiplier", "seconds"}
    return not adds_up and (divided or unit == "currency")


def _short(field: str, fact: Mapping[str, Any]) -> str:
    """The name without the unit of money, which is the same for all models."""
    if fact.get("unit") not in MONEY:
        return field
    return re.sub(r"_in_(micro_dollar|dollar|micro_currency|local_currency)", "", field)


def _kind(shape: Mapping[str, Any], fact: Mapping[str, Any]) -> str:
    """The kind of a column: a key of the macro `type_of`."""
    if (unit := fact.get("unit")) in MONEY:
        return "money" if unit == "currency" else "micro"
    kinds = [shape["type"]] if isinstance(shape["type"], str) else shape["type"]
    kind = next(str(each) for each in kinds if each != "null")
    if kind == "string":
        return {"date-time": "timestamp", "date": "date"}.get(shape.get("format", ""), "text")
    return {"object": "json", "array": "json"}.get(kind, kind)


def _in_units(text: str) -> str:
    return re.sub(r"in millionths of (the|a)", r"in units of \1", text)


def columns_macro(tables: Tables) -> str:
    """The macro with the columns of all staging models."""
    parts = [
        "{# Written by `make settings` from the tap's streams. #}\n",
        _list_macro("known_tables", tables.by_table),
        _list_macro("report_tables", tables.reports),
        _list_macro("api_columns", tables.of_reports),
        _COLUMNS_OF,
    ]
    for table, columns in tables.by_table.items():
        lines = "".join(
            f"    [{column.name!r}, [{', '.join(f'[{a!r}, {b!r}]' for a, b in column.sources)}]],\n"
            for column in columns
        )
        parts.append(
            f"{{% macro columns_of_{table}() %}}\n  {{% do return([\n{lines}  ]) %}}\n"
            "{% endmacro %}\n"
        )
    return "\n\n".join(parts)


def _list_macro(name: str, values: Iterable[str]) -> str:
    listed = "".join(f"    {value!r},\n" for value in values)
    return f"{{% macro {name}() %}}\n  {{% do return([\n{listed}  ]) %}}\n{{% endmacro %}}\n"


class Models:
    """The descriptions and tests of all models, as dbt's properties files."""

    def __init__(self, tables: Tables) -> None:
        """Read the texts of the project."""
        self._tables = tables
        self._texts = _yaml.load(TEXTS.read_text(encoding="utf-8"))
        self._shared: dict[str, str] = self._texts["columns"]

    def files(self) -> dict[Path, str]:
        """The properties files by path."""
        folders: dict[str, list[Any]] = defaultdict(list)
        for model, table in STAGED.items():
            if table in self._tables.by_table and model != "days":
                folders["staging"].append(self._staged(model, table))
        for path, entry in self._texts["models"].items():
            folder, _, name = path.rpartition("/")
            folders[folder].append(self._described(folder, name, entry))
        return {
            FOLDER / "models" / folder / f"{folder.replace('/', '_')}.yml": _as_yaml(models)
            for folder, models in folders.items()
        }

    def _staged(self, model: str, table: str) -> dict[str, Any]:
        stream = Described(table, self._tables.path_of(table))
        report = {"report": self._shared["report"]} if model == "ad_window_daily" else {}
        columns = {
            "source_relation": self._shared["source_relation"],
            **report,
            **{column.name: column.text for column in self._tables.by_table[table]},
            "synced_at": self._shared["synced_at"],
            "loaded_at": self._shared["loaded_at"],
        }
        text = (stream.text or "").replace("by period", "by day")
        made = {"name": f"stg_pinterest__{model}", "description": f"{text} Table {table}, typed."}
        return {**made, "columns": _columns(columns)}

    def _described(self, folder: str, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
        config = self._texts["config"].get(folder)
        names = list(self._listed(entry["columns"]))
        columns = {column: self._text(column, entry) for column in names}
        return {
            "name": name,
            "description": entry["text"],
            **({"config": config} if config else {}),
            **({"data_tests": tests} if (tests := list(self._tests(name, entry))) else {}),
            "columns": _columns(columns),
        }

    def _tests(self, name: str, entry: Mapping[str, Any]) -> Iterator[Any]:
        grain, nullable = list(self._listed(entry.get("grain", ()))), entry.get("may_be_null", ())
        if grain:
            yield {"one_row_for_each": {"arguments": {"columns": grain}}}
            sure = [each for each in grain if each not in {*self._listed(nullable)}]
            sure += entry.get("not_null", ())
            yield {"never_null": {"arguments": {"columns": sure}}}
        if name.startswith("int_") and name.endswith("_daily"):
            staged = name.replace("int_", "stg_")
            yield {"has_the_rows_of": {"arguments": {"to": f"ref('{staged}')"}}}
        if by := entry.get("currency"):
            yield {"one_currency": {"arguments": {"by": by}}}
        for column, model in entry.get("belongs", {}).items():
            arguments = {"column": column, "to": f"ref('stg_pinterest__{model}')"}
            yield {"belongs": {"arguments": arguments, "config": {"severity": "warn"}}}

    def _listed(self, names: Iterable[str]) -> Iterator[str]:
        for name in names:
            if name.startswith("$"):
                yield from self._listed(self._texts["groups"][name[1:]])
            else:
                yield name

    def _text(self, column: str, entry: Mapping[str, Any]) -> str:
        own: Mapping[str, str] = entry.get("own", {})
        if text := own.get(column) or self._shared.get(column):
            return text
        found = (
            Described(table, self._tables.path_of(table)).field(column)
            for table in (entry.get("like"), "ad_analytics")
            if table
        )
        meaning = next((each for each in found if each), None)
        if meaning is None:
            message = f"{TEXTS} and the dictionary say nothing about the column {column}"
            raise KeyError(message)
        return _in_units(meaning.description)


def _columns(texts: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "description": text} for name, text in texts.items()]


def _as_yaml(models: list[Any]) -> str:
    """As YAML: a line for each value, texts as JSON."""
    return "# Written by `make settings`; texts are in ../../texts.yml.\nversion: 2\nmodels:\n" + (
        "\n".join(_block(model, 1) for model in models) + "\n"
    )


def _block(model: Mapping[str, Any], depth: int) -> str:
    margin = "  " * depth
    lines: list[str] = []
    for name, each in model.items():
        if not isinstance(each, list):
            lines.append(f"{margin}{name}: {_json(each)}")
            continue
        lines.append(f"{margin}{name}:")
        lines += [f"{margin}- {_json(item)}" for item in each]
    return "\n".join(lines).replace("  ", "- ", 1)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def written() -> dict[Path, str]:
    """All files by path."""
    tables = Tables()
    return {COLUMNS: columns_macro(tables), **Models(tables).files()}


def main() -> None:
    """Write the files."""
    for path, text in written().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
