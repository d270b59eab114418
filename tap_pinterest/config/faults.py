"""Finds all faults of a config at once.

Each fault names the setting and the allowed values. No fault shows a secret.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

import jsonschema
from singer_sdk.helpers.capabilities import FLATTENING_CONFIG, STREAM_MAPS_CONFIG

from tap_pinterest import api
from tap_pinterest.api import targeting
from tap_pinterest.api.columns import (
    is_undescribed,
    is_unheard_of,
    only_asynchronous,
    unknown_columns,
)
from tap_pinterest.api.likeness import hint
from tap_pinterest.config import beta_reports, custom_reports
from tap_pinterest.config.days import FORMS, Day
from tap_pinterest.config.schema import (
    AD_ACCOUNT_LISTS,
    API_URL,
    CONFIG_SCHEMA,
    ID_LISTS,
    NAMES_ELSEWHERE,
    OWN_SETTINGS,
    SECRETS,
    TOKENS,
)
from tap_pinterest.config.values import (
    auth_method_of,
    credentials_of,
    has_stored_tokens,
    normalised,
    report_columns_of,
    token_path_of,
)
from tap_pinterest.layouts import LAYOUTS, PINTEREST, Layout

_SDK_SCHEMA = {**STREAM_MAPS_CONFIG["properties"], **FLATTENING_CONFIG["properties"]}
_SCHEMA = {**CONFIG_SCHEMA, "properties": {**_SDK_SCHEMA, **CONFIG_SCHEMA["properties"]}}
_FORMS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(ID_LISTS, (r"\d{1,20}", "ids of digits")),
    **dict.fromkeys(AD_ACCOUNT_LISTS, (r"\d{1,18}", "ad account ids, 1 to 18 digits each")),
    "usernames": (r"(?!\d+$).+", "names that are not a number"),
    "domains": (r"[\w-]+(\.[\w-]+)+", "domain names, such as example.com"),
}
"""The form of the items of a list, as a pattern and in words."""
_RANGE = ("start_date", "end_date")
_DAMAGE = re.compile("[\x00\ud800-\udfff]")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def problems(config: Mapping[str, Any], *, credentials: bool = True) -> list[str]:
    """The faults of a config; each is one line with the setting and its allowed values.

    Args:
        config: The config as the user gave it.
        credentials: Whether missing credentials are a fault; for discovery they are not.
    """
    values = normalised(config)
    unknown = (_unknown_setting(name) for name in values if name not in _SCHEMA["properties"])
    faults = [*unknown, *_schema_faults(values)]
    broken = {_root(fault) for fault in faults}
    checks: tuple[tuple[str, Callable[[Mapping[str, Any]], Iterable[str]]], ...] = (
        ("start_date", _day_faults),
        ("", _item_faults),
        ("exclude_ad_account_ids", _exclusion_faults),
        ("product_categories", _category_faults),
        ("api_url", _api_url_faults),
        ("oauth_credentials", _oauth_faults),
        ("report_columns", _column_faults),
        ("targeting_types", _targeting_faults),
        ("report_transport", _transport_faults),
        ("custom_reports", _custom_report_faults),
        *((each.setting, _faults_of(each)) for each in beta_reports.SHAPES),
        (beta_reports.PRODUCTS.setting, _faults_of_total),
        ("token_file", _token_file_faults),
        ("layout", _layout_faults),
        ("", _credential_text_faults),
    )
    faults += [
        fault
        for setting, check in checks
        if setting not in broken
        for fault in check(values)
        if _root(fault) not in broken
    ]
    faults += _credential_faults(values, required=credentials)
    broken = {_root(fault) for fault in faults}
    faults += [fault for fault in _text_faults(values) if _root(fault) not in broken]
    if not faults:
        return []
    # The tap asks Pinterest for unknown columns only if the config has no other fault.
    unasked = (unknown_column(*each) for each in undescribed_columns(config))
    return faults + [fault for fault in unasked if fault]


def _root(fault: str) -> str:
    """The setting with the fault."""
    return re.split(r"[.:]", fault, maxsplit=1)[0]


def _unknown_setting(name: str) -> str:
    ours = NAMES_ELSEWHERE.get(name) or next(
        iter(difflib.get_close_matches(name, OWN_SETTINGS, n=1, cutoff=0.75)), None
    )
    hint = f"did you mean {ours}?" if ours else f"the settings are {', '.join(OWN_SETTINGS)}"
    return f"{name[:80] if name.isprintable() else _shown(name)}: there is no such setting; {hint}"


def _schema_faults(values: Mapping[str, Any]) -> list[str]:
    known = {name: value for name, value in values.items() if name in _SCHEMA["properties"]}
    errors = jsonschema.Draft202012Validator(_SCHEMA).iter_errors(known)
    # A value may break several rules; the user needs only one line for it.
    return list({tuple(error.absolute_path): _schema_fault(error) for error in errors}.values())


def _schema_fault(error: jsonschema.ValidationError) -> str:
    setting = str(error.absolute_path[0])
    path = ".".join(str(part) for part in error.absolute_path)
    given = "" if setting in SECRETS else f"{_shown(error.instance)} is refused; "
    match error.validator:
        case "enum":
            known = _listed(error.validator_value)
            allowed = f"one of {', '.join(known)}{hint(error.instance, known)}"
        case "type":
            types = [kind for kind in _listed(error.validator_value) if kind != "null"]
            allowed = " or ".join(types)
        case "minimum" | "maximum":
            word = "at least" if error.validator == "minimum" else "at most"
            allowed = f"{word} {error.validator_value}"
        case "required" | "additionalProperties":
            schema = cast("dict[str, Any]", error.schema)
            allowed = f"an object with {', '.join(schema['properties'])}"
        case _:
            allowed = "what the SDK's documentation shows"
    return f"{path}: {given}allowed: {allowed}"


def _listed(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - what fits one line


def _day_faults(values: Mapping[str, Any]) -> list[str]:
    texts = {name: values[name] for name in _RANGE if name in values}
    if "end_date" in texts:
        texts.setdefault("start_date", CONFIG_SCHEMA["properties"]["start_date"]["default"])
    backfill = values.get("backfill")
    if isinstance(backfill, dict):
        texts |= {f"backfill.{name}": text for name, text in backfill.items()}
    faults: list[str] = []
    days: dict[str, date] = {}
    today = datetime.now(tz=UTC).date()
    for name, text in texts.items():
        try:
            days[name] = Day.parse(text).resolve(today=today, earliest=date.min)
        except (ValueError, AttributeError):
            faults.append(f"{name}: {_shown(text)} is refused; allowed: {FORMS}, earliest")
    for prefix in ("", "backfill."):
        start, end = days.get(f"{prefix}start_date"), days.get(f"{prefix}end_date")
        if end is None and f"{prefix}end_date" in texts:
            continue  # a fault of its own already
        end = min(end or today, today)
        if start and start > end:
            by_default = "" if prefix or "start_date" in values else ", the default,"
            given = f"{prefix}start_date: {start}{by_default}"
            faults.append(f"{given} is refused; allowed: not after {end}")
    return faults


def _item_faults(values: Mapping[str, Any]) -> Iterator[str]:
    for name, (form, allowed) in _FORMS.items():
        # Another check refuses a value that is not a list.
        for item in values[name] if isinstance(values.get(name), list) else ():
            if not (isinstance(item, str) and re.fullmatch(form, item)):
                yield f"{name}: {_shown(item)} is refused; allowed: {allowed}"


def _exclusion_faults(values: Mapping[str, Any]) -> Iterator[str]:
    wanted = values.get("ad_account_ids")
    for item in values.get("exclude_ad_account_ids", ()):
        if isinstance(wanted, list) and item in wanted:
            allowed = "ids that ad_account_ids does not name"
            yield f"exclude_ad_account_ids: {item} is refused; allowed: {allowed}"


def _category_faults(values: Mapping[str, Any]) -> list[str]:
    details = api.operation("GET /trends/product_categories/details")
    known = details.parameters["product_categories"].allowed
    return [
        f"product_categories: {_shown(item)} is refused; allowed: Pinterest's names, "
        f"such as {', '.join(known[:3])}{hint(item, known)}"
        for item in values.get("product_categories", ())
        if item not in known
    ]


def _api_url_faults(values: Mapping[str, Any]) -> list[str]:
    parts = _split_url(values.get("api_url", API_URL))
    good = parts and not (parts.query or parts.fragment)
    return [] if good else ["api_url: refused; allowed: an https URL, or http on this machine"]


def _split_url(url: str) -> SplitResult | None:
    """The parts of a URL to which the tap may send secrets; `None` for any other text."""
    try:
        parts = urlsplit(url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.hostname and safe and parts.username is None else None


def _oauth_faults(values: Mapping[str, Any]) -> list[str]:
    oauth = values.get("oauth_credentials") or {}
    faults = [
        f"oauth_credentials.{name}: {name} is given beside it; allowed: one of the two"
        for name in TOKENS
        if oauth.get(name) and values.get(name)
    ]
    if "refresh_proxy_url" in oauth and not (
        _is_plain(oauth["refresh_proxy_url"]) and _split_url(oauth["refresh_proxy_url"])
    ):
        allowed = "allowed: an https URL, or http on this machine"
        faults.append(f"oauth_credentials.refresh_proxy_url: refused; {allowed}")
    if "refresh_proxy_url_auth" in oauth and "refresh_proxy_url" not in oauth:
        needed = "missing; it is needed with refresh_proxy_url_auth"
        faults.append(f"oauth_credentials.refresh_proxy_url: {needed}")
    return faults


def _token_file_faults(values: Mapping[str, Any]) -> list[str]:
    name = values.get("token_file") or ""
    if not name or (_is_plain(name) and _names_a_file(name)):
        return []
    allowed = "the path of a file, without blanks around it or control characters in it"
    return [f"token_file: {_shown(name)} is refused; allowed: {allowed}"]


def _is_plain(text: str) -> bool:
    return text.isprintable() and text == text.strip()


def _names_a_file(name: str) -> bool:
    try:
        path = os.fsencode(Path(name).expanduser())
    except (RuntimeError, ValueError):
        return False
    # os.path, because Path.is_dir raises for a name that is too long.
    return not (name.endswith(("/", os.sep)) or os.path.isdir(path))  # noqa: PTH112


def _credential_text_faults(values: Mapping[str, Any]) -> list[str]:
    """Faults of credentials that an HTTP header cannot carry, such as one with a line end."""
    oauth = values.get("oauth_credentials")
    oauth = oauth if isinstance(oauth, dict) else {}
    texts = {name: values.get(name, "") for name in ("client_id", "client_secret", *TOKENS)}
    texts |= {f"oauth_credentials.{name}": oauth.get(name, "") for name in TOKENS}
    header = oauth.get("refresh_proxy_url_auth", "")
    texts["oauth_credentials.refresh_proxy_url_auth"] = (
        # One blank separates the scheme from the token.
        header.replace(" ", "", 1) if isinstance(header, str) and _is_plain(header) else header
    )
    return [
        f"{name}: refused; allowed: printable ASCII characters without spaces"
        for name, text in texts.items()
        if isinstance(text, str)
        if not (text.isascii() and text.isprintable() and " " not in text)
    ]


def _text_faults(values: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}: refused; allowed: Unicode text without NUL"
        for name, value in values.items()
        if name in _SCHEMA["properties"]
        if any(_DAMAGE.search(text) for text in _texts_in(value))
    ]


def _texts_in(value: object) -> Iterator[str]:
    """The text itself, or all texts in a list or an object."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for each in pair for text in _texts_in(each))
    elif isinstance(value, list):
        yield from (text for each in value for text in _texts_in(each))


def _column_faults(values: Mapping[str, Any]) -> list[str]:
    columns = report_columns_of(values.get("report_columns", "default"))
    if isinstance(columns, str):
        return []
    known = (name for name in columns if not is_unheard_of(name))
    return [f"report_columns: {fault}" for fault in unknown_columns(known)]


def undescribed_columns(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The columns of ads reports in a config that have no description, each with its setting."""
    values = normalised(config)
    given = [("report_columns", values.get("report_columns"))]
    reports = values.get("custom_reports")
    given += [
        (f"{place}.columns", report.get("columns"))
        for place, report in custom_reports.by_place(reports if isinstance(reports, list) else ())
        if isinstance(report, dict)
    ]
    return [
        (setting, name)
        for setting, names in given
        if isinstance(names, (str, list)) and isinstance(chosen := report_columns_of(names), tuple)
        for name in chosen
        if is_undescribed(name)
    ]


def unknown_column(setting: str, name: str) -> str:
    """The fault of a column that nobody knows; empty for a column that live answers have listed."""
    return f"{setting}: {unknown_columns([name])[0]}" if is_unheard_of(name) else ""


def _targeting_faults(values: Mapping[str, Any]) -> list[str]:
    known = targeting.known()
    return [
        f"targeting_types: {_shown(item)} is refused; allowed: {', '.join(known)}"
        f"{hint(item, known)}"
        for item in values.get("targeting_types", ())
        if str(item).upper() not in known
    ]


def _transport_faults(values: Mapping[str, Any]) -> Iterator[str]:
    columns = report_columns_of(values.get("report_columns", "default"))
    only = [] if isinstance(columns, str) else only_asynchronous(columns)
    if values.get("report_transport") == "sync" and only:
        yield (
            f"report_transport: sync is refused; allowed: auto, async, because report_columns "
            f"names {', '.join(only)}, which only asynchronous reports have"
        )


def _custom_report_faults(values: Mapping[str, Any]) -> Iterator[str]:
    definitions = values.get("custom_reports", ())
    yield from custom_reports.faults_of(definitions)
    inherited = {name: values[name] for name in _RANGE if name in values}
    if _day_faults(inherited):
        inherited = {}
    for place, definition in custom_reports.by_place(definitions):
        if not isinstance(definition, dict):
            continue
        names = (*_RANGE, "lookback_days")
        given = {name: definition[name] for name in names if definition.get(name) is not None}
        days = given.pop("lookback_days", 0)
        yield from (f"{place}.{fault}" for fault in _day_faults({**inherited, **given}))
        if not isinstance(days, int) or isinstance(days, bool) or days < 0:
            yield f"{place}.lookback_days: {_shown(days)} is refused; allowed: at least 0"
    if definitions and (layout := _layout(values)).tables:
        yield f"custom_reports: refused; allowed: none, with layout {layout.name}"


def _faults_of(shape: beta_reports.Shape) -> Callable[[Mapping[str, Any]], Iterator[str]]:
    """The check of a beta report's setting."""
    return lambda values: shape.faults_of(values.get(shape.setting) or {})


def _faults_of_total(values: Mapping[str, Any]) -> Iterator[str]:
    """A fault for a product TOTAL with too many or too few days for Pinterest."""
    choice = beta_reports.PRODUCTS.chosen(values.get(beta_reports.PRODUCTS.setting) or {})
    if "TOTAL" not in choice["granularities"] or _day_faults(values):
        return
    today = datetime.now(tz=UTC).date()
    first = beta_reports.FIRST_DAYS.get(choice["conversion_product_attribution_type"], date.min)
    start, end = (
        Day.parse(values.get(name) or CONFIG_SCHEMA["properties"][name]["default"])
        for name in ("start_date", "end_date")
    )
    last = end.resolve(today=today, earliest=first)
    days = (last - max(start.resolve(today=today, earliest=first), first)).days + 1
    least, most = beta_reports.LEAST_DAYS, beta_reports.MOST_DAYS
    if not least <= days <= most:
        yield (
            f"{beta_reports.PRODUCTS.setting}.granularities: TOTAL of {days} days is refused; "
            f"allowed: {least} to {most} days from start_date (on or after {first}) to end_date"
        )


def _layout_faults(values: Mapping[str, Any]) -> list[str]:
    layout = _layout(values)
    defaults = normalised({name: _SCHEMA["properties"][name]["default"] for name in layout.refuses})
    return [
        f"{name}: {_shown(values[name])} is refused; allowed: its default, because layout "
        f"{layout.name} has its own tables and columns"
        for name, default in defaults.items()
        if values.get(name, default) != default
    ]


def _layout(values: Mapping[str, Any]) -> Layout:
    """The layout in a config; Pinterest's if the value is not a layout, which is another fault."""
    return LAYOUTS.get(str(values.get("layout")), PINTEREST)


def _credential_faults(values: Mapping[str, Any], *, required: bool) -> Iterator[str]:
    method = auth_method_of(values)
    found = credentials_of(values)
    if method is None and all(found[kind] for kind in TOKENS):
        yield (
            "auth_method: access_token and refresh_token are both given; allowed: leave one out, "
            "or name one of refresh_token, access_token"
        )
    elif not required:
        return
    elif method:
        yield from _missing_credentials(values, method, found)
    elif values.get("client_id") and values.get("client_secret"):
        yield f"refresh_token: {_signed_out(values)}"
    else:
        yield (
            "access_token: no credentials; allowed: access_token, or client_id with client_secret "
            "and refresh_token, or client_id with client_secret and auth_method "
            "client_credentials, or oauth_credentials with refresh_token and refresh_proxy_url; "
            "tap-pinterest-login gets a refresh_token"
        )


def _missing_credentials(
    values: Mapping[str, Any], method: str, found: Mapping[str, Any]
) -> Iterator[str]:
    app = ("client_id", "client_secret")
    stored = () if found["refresh_token"] or has_stored_tokens(values) else ("refresh_token",)
    needed = {
        "access_token": ("access_token",),
        "refresh_token": ("refresh_token",) if found["refresh_proxy_url"] else (*app, *stored),
        "client_credentials": app,
    }.get(method, ())
    for name in needed:
        if found.get(name) or values.get(name):
            continue
        if name == "refresh_token":
            yield f"{name}: {_signed_out(values)}"
        else:
            yield f"{name}: missing; it is needed with auth_method {method}"


def _signed_out(values: Mapping[str, Any]) -> str:
    """The fault of an app without tokens, and the way to get them."""
    try:
        path = token_path_of(values.get("token_file"), values.get("client_id"), None)
    except (RuntimeError, TypeError, ValueError):
        path = None  # another check refuses it
    where = f", and there is no token_file {path}" if path else ""
    return f"missing{where}; run tap-pinterest-login, which gets one"
