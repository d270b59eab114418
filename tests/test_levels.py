"""The records of report levels: complete, and the only place that knows a level by name."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from comparisons import SOURCES, chosen_by, compared, found_in
from scripts.processes import ROOT
from tap_pinterest import api
from tap_pinterest.api import levels
from tap_pinterest.api.levels import ID_FILTERS, LEVELS, ordered
from tap_pinterest.streams import STREAM_TYPES
from tap_pinterest.streams.analytics import LevelReport

if TYPE_CHECKING:
    from tap_pinterest.api.levels import Level

NAMES = {
    name
    for level in LEVELS.values()
    for name in (level.name, level.report, level.targeting_report)
    if name
}
REPORTS = {each.name for each in STREAM_TYPES if issubclass(each, LevelReport)}
ENDINGS = {"_TARGETING", "_analytics", "_targeting_analytics"}


def test_each_level_of_asynchronous_reports_has_a_record() -> None:
    body = api.schema("AdsAnalyticsCreateAsyncRequest")["properties"]

    assert [*ordered()] == body["level"]["enum"]


def test_each_synchronous_report_on_an_ad_account_is_in_a_record() -> None:
    paths = [path for each in LEVELS.values() for path in (each.path, each.targeting_path) if path]
    start = "GET /ad_accounts/{ad_account_id}/"

    assert sorted(f"GET {path}" for path in paths) == sorted(
        key for key in api.operations() if key.startswith(start) and key.endswith("analytics")
    )


@pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS)
def test_parameters_and_filters_of_a_record_are_those_of_the_api(level: Level) -> None:
    body = api.schema("AdsAnalyticsCreateAsyncRequest")["properties"]
    for path in filter(None, (level.path, level.targeting_path)):
        known = api.operation(f"GET {path}").parameters
        assert {level.id_parameter, level.within} - {""} <= known.keys()
    if level.report:
        assert {level.id_parameter} - {""} <= body.keys()
        assert {*level.refused_keys} <= body.keys()
    assert {*level.own_types} <= {*body["targeting_types"]["items"]["enum"]}
    assert {*level.filters} <= {*ID_FILTERS} <= body.keys()
    assert level.own_id in level.ids


@pytest.mark.parametrize("level", LEVELS.values(), ids=LEVELS)
def test_each_level_has_a_stream_and_one_more_for_its_breakdown(level: Level) -> None:
    reports = [
        each for each in STREAM_TYPES if issubclass(each, LevelReport) and each.level == level
    ]

    assert [each.broken_down for each in reports] == [False, True][
        : 1 + bool(level.targeting_report)
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_compares_the_name_of_a_level_or_of_its_report(path: Path) -> None:
    """Or looks something up by it; `comparisons` says what is not found."""
    assert found_in(path, is_about_a_name) == []


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ('level == "campaign"', True),
        ('level.name != "x"', True),
        ('stream.level.report == "x"', True),
        ('level in {"ad", "keyword"}', True),
        ('level.startswith("PRODUCT_ITEM")', True),
        ('level.removesuffix("_TARGETING")', True),
        ('match level:\n    case "ad_pin": pass', True),
        ('level is LEVELS["campaign"]', True),
        ("question.level is _ACCOUNT", True),
        ('stream.name == "campaign_analytics"', True),
        ('name in ("x", "ad_targeting_analytics")', True),
        ('stream.name.endswith("_analytics")', True),
        ('{"x": 1}.get(level.name)', True),
        ("WORDS.get(level.name, 1)", True),
        ("WORDS[self.level.report]", True),
        ('row.get("keyword")', False),
        ("streams[stream.name]", False),
        ('stream.name == "labels"', False),
        ('level.own_id == "campaign_id"', False),
        ("level.report_limits != ASYNCHRONOUS", False),
        ("each.level == at.level", False),
        ('LEVELS["campaign"]', False),
        ('name.startswith("x")', False),
    ],
)
def test_a_comparison_with_the_name_of_a_level_is_found(code: str, *, is_found: bool) -> None:
    assert any(map(is_about_a_name, ast.walk(ast.parse(code)))) is is_found


@pytest.mark.parametrize(
    "path",
    [each for each in SOURCES if each != Path(levels.__file__)],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_code_has_a_table_of_levels_beside_their_records(path: Path) -> None:
    assert found_in(path, is_by_level) == []


@pytest.mark.parametrize(
    ("code", "is_found"),
    [
        ('{"campaign": Campaigns, "ad": Ads}', True),
        ('{"campaign": 1}.get(level)', True),
        ('{"campaign_analytics": 1, "ad_analytics": 2}', True),
        ("dict(campaign=1, ad=2)", True),
        ("{each.level.name: each for each in reports}", True),
        ('("ad", "ad_group")', True),
        ('(("campaign", "campaign"), ("ad_group", "ad group"))', True),
        ('{"campaign_id": 1}', False),
        ("{each.level: each for each in reports}", False),
        ('("campaign_id", "ad_id")', False),
        ('("campaign_analytics", "ad_analytics")', False),
        ('f("ad")', False),
        ("f(campaign=1, ad=2)", False),
    ],
)
def test_a_table_of_levels_is_found(code: str, *, is_found: bool) -> None:
    assert any(map(is_by_level, ast.walk(ast.parse(code)))) is is_found


def is_by_level(node: ast.AST) -> bool:
    """Whether code lists levels by name, or has a value for each."""
    match node:
        case ast.Dict(keys=names) if any(each and names_a_level(each) for each in names):
            return True
        case ast.DictComp(key=name):
            return names_a_level(name)
        case ast.Tuple(elts=names) | ast.List(elts=names) | ast.Set(elts=names):
            return sum(map(names_a_level, names)) > 1
    return chosen_by(node, NAMES | REPORTS)


def is_about_a_name(node: ast.AST) -> bool:
    """Whether code compares, looks into or looks up such a name, or compares one level's record."""
    named = (names_a_level(each) or names_a_report(each) for each in compared(node))
    return any(named) or is_with_one_record(node)


def is_with_one_record(node: ast.AST) -> bool:
    """Whether code compares a level with the record of one level, under its name or a constant."""
    if not isinstance(node, ast.Compare):
        return False
    sides = [ast.unparse(each) for each in (node.left, *node.comparators)]
    of_one = any(each.startswith("LEVELS[") or each.isupper() for each in sides)
    return of_one and any(each.endswith("level") for each in sides)


def names_a_level(node: ast.AST) -> bool:
    match node:
        case ast.Constant(value=str(text)):
            return text in NAMES
        case ast.Attribute(attr="name" | "report" | "targeting_report", value=of):
            return ast.unparse(of).endswith("level")
    return False


def names_a_report(node: ast.AST) -> bool:
    """Whether code has the name of a level's report, or the end of a name."""
    return isinstance(node, ast.Constant) and node.value in REPORTS | ENDINGS
