"""Reads a good answer, and finds the meaning of a bad one: by its status, code and text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, NoReturn, TypeVar

from singer_sdk.exceptions import FatalAPIError, SkippableAPIError

from tap_pinterest.http.answers import decode_object
from tap_pinterest.http.errors import (
    AccessRefusedError,
    AccountKindError,
    AppRefusedError,
    FeatureRefusedError,
    GoneError,
    InvalidRequestError,
    LaterError,
    LinkExpiredError,
    NoCatalogError,
    NoEndpointError,
    NotOfferedError,
    ReachError,
    ReportExpiredError,
    ScopeRefusedError,
    StaleTokenError,
    TooLargeError,
    UnreadableAnswerError,
    UnsignedRefusalError,
    ValuesRefusedError,
    WaitError,
)
from tap_pinterest.http.rate_headers import retry_after, seconds_asked
from tap_pinterest.http.redaction import Secrets
from tap_pinterest.http.transport import Answer

_T = TypeVar("_T")

NOT_AUTHENTICATED = 2
"""Pinterest's code for an access token that it does not accept."""
TOO_MANY = 429
APPS = "https://developers.pinterest.com/apps/"

_RETRY_AFTER = re.compile(r"retry after (\d+) seconds?", re.IGNORECASE)
_REACH = re.compile(r"only get data from the last (\d{1,4}) days", re.IGNORECASE)
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
_TOO_LARGE = frozenset({413, 414, 431})
_TRANSIENT = frozenset({408, 425})
_LEAST_GOOD, _LEAST_REDIRECT, _LEAST_SERVER_ERROR = 200, 300, 500
_LONGEST_ERROR = 1024 * 1024
"""Bytes above which a body is no error of Pinterest's; they are not decoded."""
_MESSAGES = ("message", "error_description", "error")
"""Fields with the text of an error: Pinterest's, or a proxy's that speaks OAuth."""


class _Said(NamedTuple):
    """What an answer that is not good says.

    Attributes:
        code: Pinterest's own number; `None` if the body is not Pinterest's.
        message: Its own words.
        text: Call, status, code and words as part of a message, without secrets.
    """

    status: int
    code: int | None
    message: str
    text: str


def content_of(answer: Answer, decode: Callable[[bytes], _T], what: str, secrets: Secrets) -> _T:
    """The content of a good answer.

    Raises:
        UnreadableAnswerError: It is not what the API describes.
        Exception: The answer is not good; the error says what to do next.
    """
    if not _LEAST_GOOD <= answer.status < _LEAST_REDIRECT:
        _raise_for(_said_by(answer, what, secrets), what, answer.headers)
    try:
        return decode(answer.body)
    except UnreadableAnswerError as error:
        # It may be an error with a good status, whose own words say more.
        msg = f"{_said_by(answer, what, secrets).text}: {error}"
        raise UnreadableAnswerError(msg) from None


def _said_by(answer: Answer, what: str, secrets: Secrets) -> _Said:
    try:
        body = decode_object(answer.body if len(answer.body) <= _LONGEST_ERROR else b"")
    except UnreadableAnswerError:
        code, message = None, answer.reason
    else:
        code = number if isinstance(number := body.get("code"), int) else None
        message = str(next(filter(None, map(body.get, _MESSAGES)), ""))
    in_words = f" (code {code})" if code is not None else ""
    text = f"{what}: {answer.status}{in_words} {secrets.hidden_in(message)}".rstrip()
    if rid := answer.headers.get("x-pinterest-rid"):
        text += f" [request {secrets.hidden_in(rid)}]"
    return _Said(answer.status, code, message, text)


def _raise_for(said: _Said, what: str, headers: Mapping[str, str]) -> NoReturn:
    status, code, message, text = said
    if status in _TOO_LARGE:
        raise TooLargeError(text)
    if status == TOO_MANY:
        raise WaitError(text, seconds_asked(headers))
    if match := _RETRY_AFTER.search(message):
        raise WaitError(text, float(match[1]))
    if status == _INVALID and (match := _REACH.search(message)):
        raise ReachError(text, int(match[1]))
    passes = _passes(status) and status != _NOT_OFFERED
    # Pinterest may say that the fault is its own, whatever the status is.
    is_said_to_pass = _PASSING_WORDS.search(message) or (status, code) == (_INVALID, _PASSING_CODE)
    if passes or is_said_to_pass:
        raise LaterError(text, retry_after(headers))
    try:
        if status in {_UNAUTHORISED, _FORBIDDEN}:
            _raise_for_access(said)
        if status == _NOT_FOUND:
            raise (NoEndpointError if _is_about_path(what, code, message) else GoneError)(text)
        _raise_for_refusal(said)
    except (FatalAPIError, SkippableAPIError) as refusal:
        # Each of Pinterest's own errors has a code.
        if code is not None:
            raise
        raise UnsignedRefusalError(refusal) from None


def raise_for_download(status: int, headers: Mapping[str, str], what: str) -> NoReturn:
    """The error for the status of a download."""
    text = f"{what}: the download is answered with {status}"
    # Storage answers 403 to an old link, and 400 if the key that signed it is older still.
    if status in {_INVALID, _UNAUTHORISED, _FORBIDDEN, _NOT_FOUND, _GONE}:
        raise LinkExpiredError(text)
    if _passes(status) or status == TOO_MANY:
        raise LaterError(text, retry_after(headers))
    raise FatalAPIError(text)


def _passes(status: int) -> bool:
    """Whether the same call is likely to succeed a little later.

    An interim answer such as 103 is one of these: the real answer after it is not read.
    """
    return status < _LEAST_GOOD or status in _TRANSIENT or status >= _LEAST_SERVER_ERROR


def _raise_for_access(said: _Said) -> NoReturn:
    status, code, message, text = said
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


def _raise_for_refusal(said: _Said) -> NoReturn:
    status, code, message, text = said
    if status == _CONFLICT and code == _NO_CATALOG:
        raise NoCatalogError(text)
    if status in {_CONFLICT, _NOT_OFFERED}:
        raise NotOfferedError(text)
    if code == _REPORT_EXPIRED:
        raise ReportExpiredError(text)
    if status == _INVALID and (values := _refused_values(message)):
        raise ValuesRefusedError(text, values)
    if status == _INVALID:
        raise InvalidRequestError(text)
    raise FatalAPIError(text)
