"""Finds the meaning of a bad answer: by its status, Pinterest's code and its text."""

from __future__ import annotations

import re
from typing import NoReturn

import msgspec
from singer_sdk.exceptions import FatalAPIError, RetriableAPIError, SkippableAPIError

from tap_pinterest.http.errors import (
    AccessRefusedError,
    AccountKindError,
    AppRefusedError,
    FeatureRefusedError,
    GoneError,
    InvalidRequestError,
    LinkExpiredError,
    NoCatalogError,
    NoEndpointError,
    NotOfferedError,
    ReachError,
    ReportExpiredError,
    ScopeRefusedError,
    StaleTokenError,
    TooLargeError,
    UnsignedRefusalError,
    ValuesRefusedError,
    WaitError,
)
from tap_pinterest.http.rate_headers import limits_in
from tap_pinterest.http.redaction import Secrets
from tap_pinterest.http.transport import Answer

NOT_AUTHENTICATED = 2
"""Pinterest's code for an access token that it does not accept."""
TOO_MANY = 429
APPS = "https://developers.pinterest.com/apps/"

_RETRY_AFTER = re.compile(r"retry after (\d+) seconds?", re.IGNORECASE)
_REACH = re.compile(r"only get data from the last (\d+) days", re.IGNORECASE)
_PASSING_WORDS = re.compile(r"something went wrong", re.IGNORECASE)
_PASSING_CODE = 12
_APP_IS_OUT = re.compile(r"consumer type is not supported", re.IGNORECASE)
_SCOPE_IS_MISSING = re.compile(r"missing (?:the )?(?:required )?scopes?\b", re.IGNORECASE)
_FEATURE_IS_CLOSED = re.compile(r"restricted feature", re.IGNORECASE)
_NO_METHOD = 11
_NO_PATH = re.compile(
    r"(?:method|endpoint|route|path|url|page) not found|no (?:such )?(?:endpoint|route|path)",
    re.IGNORECASE,
)
_NOTHING_NAMED = re.compile(r"(?:resource )?not found\W*", re.IGNORECASE)
_NOT_AVAILABLE = re.compile(r"\bcolumns? (.+?) (?:is|are) not available", re.IGNORECASE | re.DOTALL)
_NOT_LISTED = re.compile(
    r"parameter '(?:columns|metric_types)\b[^']*' \(value (.+?)\) is not one of (.*)",
    re.IGNORECASE | re.DOTALL,
)
_VALUE = re.compile(r"\b[A-Z][A-Z0-9_]+\b")
_ID_IN_PATH = re.compile(r"\{(?!ad_account_id\})")
_ACCESS_CODES = frozenset({3, 7, 29})
_BUSINESS_ONLY = 654
_INVALID, _UNAUTHORISED, _FORBIDDEN, _NOT_FOUND = 400, 401, 403, 404
_GONE = 410
_CONFLICT, _NO_CATALOG = 409, 4182
_REPORT_EXPIRED = 1104
_NOT_OFFERED = 501
_TOO_LARGE = frozenset({413, 414})
_TRANSIENT = frozenset({408, 425})
_LEAST_GOOD, _LEAST_REDIRECT, _LEAST_SERVER_ERROR = 200, 300, 500


def raise_for(answer: Answer, what: str, secrets: Secrets) -> None:
    """Raise the error that says what to do next, unless the answer is good."""
    status = answer.status
    if _LEAST_GOOD <= status < _LEAST_REDIRECT:
        return
    code, message, is_signed = _error_body(answer)
    rid = answer.headers.get("x-pinterest-rid")
    text = f"{what}: {status}{f' (code {code})' if code is not None else ''} "
    text += secrets.hidden_in(message)
    text = text.rstrip() + (f" [request {secrets.hidden_in(rid)}]" if rid else "")
    if status in _TOO_LARGE:
        raise TooLargeError(text)
    if status == TOO_MANY:
        raise WaitError(text, limits_in(answer.headers).reset)
    if match := _RETRY_AFTER.search(message):
        raise WaitError(text, float(match[1]))
    if status == _INVALID and (match := _REACH.search(message)):
        raise ReachError(text, int(match[1]))
    if status == _NOT_OFFERED:
        raise NotOfferedError(text)
    if _passes(status) or _is_said_to_pass(status, code, message):
        raise RetriableAPIError(text)
    try:
        _raise_for_meaning(status, code, message, what, text)
    except SkippableAPIError as refusal:
        if is_signed:
            raise
        raise UnsignedRefusalError(refusal) from None


def _raise_for_meaning(
    status: int, code: int | None, message: str, what: str, text: str
) -> NoReturn:
    if status in {_UNAUTHORISED, _FORBIDDEN}:
        _raise_for_access(status, code, message, text)
    if status == _NOT_FOUND:
        raise (NoEndpointError if _is_about_path(what, code, message) else GoneError)(text)
    _raise_for_refusal(status, code, message, text)


def raise_for_download(status: int, what: str) -> NoReturn:
    """The error for the status of a download."""
    text = f"{what}: the download is answered with {status}"
    # Storage answers 403 to an old link, and 400 if the key that signed it is older still.
    if status in {_INVALID, _UNAUTHORISED, _FORBIDDEN, _NOT_FOUND, _GONE}:
        raise LinkExpiredError(text)
    if _passes(status) or status == TOO_MANY:
        raise RetriableAPIError(text)
    raise FatalAPIError(text)


def _passes(status: int) -> bool:
    """Whether the same call is likely to succeed a little later."""
    return status in _TRANSIENT or status >= _LEAST_SERVER_ERROR


def _is_said_to_pass(status: int, code: int | None, message: str) -> bool:
    """Whether Pinterest says that the fault is its own, whatever the status is."""
    passing_code = status == _INVALID and code == _PASSING_CODE
    return passing_code or bool(_PASSING_WORDS.search(message))


def _raise_for_access(status: int, code: int | None, message: str, text: str) -> NoReturn:
    if _APP_IS_OUT.search(message):
        msg = (
            f"Pinterest refuses the app: {text}. Its access is not active, so that no call is "
            f"answered: ask for access at {APPS}, and run again once it is granted."
        )
        raise AppRefusedError(msg, FeatureRefusedError(text))
    if _FEATURE_IS_CLOSED.search(message):
        raise FeatureRefusedError(text)
    if code == _BUSINESS_ONLY:
        raise AccountKindError(text)
    if status == _UNAUTHORISED and code not in _ACCESS_CODES:
        raise StaleTokenError(text, code)
    if _SCOPE_IS_MISSING.search(message):
        raise ScopeRefusedError(text)
    raise AccessRefusedError(text)


def _is_about_path(what: str, code: int | None, message: str) -> bool:
    """Whether a 404 is about the path, not about an id."""
    if code in {None, _NO_METHOD} or _NO_PATH.search(message):
        return True
    return bool(_NOTHING_NAMED.fullmatch(message)) and not _ID_IN_PATH.search(what)


def _refused_values(message: str) -> frozenset[str]:
    """The columns or metrics that Pinterest says it does not have.

    If it repeats the whole list, the allowed ones are left out.
    """
    if match := _NOT_AVAILABLE.search(message):
        return frozenset(_VALUE.findall(match[1]))
    if match := _NOT_LISTED.search(message):
        values, allowed = (frozenset(_VALUE.findall(part)) for part in match.groups())
        return values - allowed
    return frozenset()


def _raise_for_refusal(status: int, code: int | None, message: str, text: str) -> NoReturn:
    if status == _CONFLICT:
        raise NoCatalogError(text) if code == _NO_CATALOG else NotOfferedError(text)
    if code == _REPORT_EXPIRED:
        raise ReportExpiredError(text)
    if status == _INVALID and (values := _refused_values(message)):
        raise ValuesRefusedError(text, values)
    if status == _INVALID:
        raise InvalidRequestError(text)
    raise FatalAPIError(text)


def _error_body(answer: Answer) -> tuple[int | None, str, bool]:
    """Pinterest's own number and text for an error, and whether the body is Pinterest's."""
    try:
        body = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, answer.reason, False
    if not isinstance(body, dict):
        return None, "", False
    code, message = body.get("code"), body.get("message")
    return (code if isinstance(code, int) else None), str(message or ""), True
