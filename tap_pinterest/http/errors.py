"""The errors that calls to Pinterest end with, named by what to do next.

The bases are the SDK's. Code that catches an error looks at its class only, never at its text.

    SkippableAPIError             leave it out; the run's access policy says if that is a failure
    ├── AccessRefusedError        ask for a scope, a role or access
    │   ├── AccountKindError      do without it: accounts of this kind do not have it
    │   ├── ScopeRefusedError     ask for the scope that Pinterest names
    │   ├── FeatureRefusedError   ask Pinterest to open the feature to the app
    │   └── NoEndpointError       do without the endpoint: it is not there for this app
    ├── GoneError                 do without it: it is not there any more
    ├── NoCatalogError            read nothing: the user has no catalog
    └── NotOfferedError           do not ask for this combination
        └── DaysError             ask for other days
    RetriableAPIError             ask again later
    ├── WaitError                 ask again after the time that Pinterest asks for
    ├── LaterError                ask again, not before the time that a server may name
    ├── SlowAnswerError           ask again, or ask for less
    ├── UnreachableError          ask again for a short while: nobody may be there at all
    ├── ReachError                ask again twice, then start a day later
    ├── UnsignedRefusalError      ask again twice, then take it for the refusal that it looks like
    ├── EmptyAnswerError          ask again twice, then take it for an answer without rows
    └── UnreadableAnswerError     ask again: the body is not what the API describes
    FatalAPIError                 do not ask again: the call is a failure
    ├── InvalidRequestError       change the request
    │   └── ValuesRefusedError    ask again without the values that it names
    ├── TooLargeError             ask for less
    ├── LinkExpiredError          ask for a new link
    ├── NearbyAddressError        do not follow the link
    ├── ReportExpiredError        create a new report
    ├── QuotaError                run later: the quota does not come back soon enough
    ├── AwayError                 end the run: nobody answers
    └── TokenRefusedError         end the run: the credentials are not accepted
        ├── GrantRefusedError     try another refresh token, or end the run
        └── AppRefusedError       end the run: the app's access is not active
    StaleTokenError               renew the access token; it never leaves this package
"""

from __future__ import annotations

from typing import Any, TypeAlias

from singer_sdk.exceptions import FatalAPIError, RetriableAPIError, SkippableAPIError

PartError: TypeAlias = FatalAPIError | RetriableAPIError | SkippableAPIError
"""An error of one call; other calls may still be answered."""
PART_ERRORS = (FatalAPIError, RetriableAPIError, SkippableAPIError)


class AccessRefusedError(SkippableAPIError):
    """The token may not read this: a scope, a role or access is missing."""


class AccountKindError(AccessRefusedError):
    """Accounts of this kind do not have it, as personal accounts have no analytics."""


class ScopeRefusedError(AccessRefusedError):
    """Pinterest says that the token lacks a scope: no call of the operation is answered."""


class FeatureRefusedError(AccessRefusedError):
    """Pinterest has not opened a feature to the app; no scope and no role would change that."""


class NoEndpointError(AccessRefusedError):
    """The path does not exist for the app, as in a closed beta."""


class GoneError(SkippableAPIError):
    """The call asks for something that is not there (any more)."""


class NoCatalogError(SkippableAPIError):
    """The user has no catalog: there is nothing to read."""


class NotOfferedError(SkippableAPIError):
    """Pinterest does not offer this for what the call names."""


class DaysError(NotOfferedError):
    """Pinterest has no such report for the days that the settings ask for."""


class WaitError(RetriableAPIError):
    """The service asks to come back later.

    Attributes:
        seconds: How long it asks to wait; `None` if it does not say.
    """

    def __init__(self, message: str, seconds: float | None) -> None:
        super().__init__(message)
        self.seconds = seconds


class LaterError(RetriableAPIError):
    """The service cannot answer now.

    Attributes:
        seconds: How long it will take at least; `None` if nobody says so.
    """

    def __init__(self, message: str, seconds: float | None) -> None:
        super().__init__(message)
        self.seconds = seconds


class SlowAnswerError(RetriableAPIError):
    """No answer came within `request_timeout`."""


class UnreachableError(RetriableAPIError):
    """The name does not resolve or the port refuses, and nobody has answered yet."""


class ReachError(RetriableAPIError):
    """Pinterest says that it does not reach so far back; it also says so at random."""

    def __init__(self, message: str, days: int) -> None:
        super().__init__(message)
        self.days = days


class UnsignedRefusalError(RetriableAPIError):
    """A refusal without Pinterest's body: a gateway on the way may have sent it.

    Attributes:
        refusal: The error that it means if it stays.
    """

    def __init__(self, refusal: Exception) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


class EmptyAnswerError(RetriableAPIError):
    """An answer is `{}`, where Pinterest sends a list or parts: a gateway may have sent it.

    Attributes:
        content: The content that it has if it stays.
    """

    def __init__(self, message: str, content: Any) -> None:  # noqa: ANN401 - of any shape
        super().__init__(message)
        self.content = content


class UnreadableAnswerError(RetriableAPIError):
    """The status is good, but the body is not what the API describes."""


class InvalidRequestError(FatalAPIError):
    """Pinterest does not take the request as it is."""


class ValuesRefusedError(InvalidRequestError):
    """Pinterest does not have some of the columns or metrics that a request names."""

    def __init__(self, message: str, values: frozenset[str]) -> None:
        super().__init__(message)
        self.values = values


class TooLargeError(FatalAPIError):
    """The call asks for too much at once: a smaller one may do."""


class LinkExpiredError(FatalAPIError):
    """A link to a download is no longer good: a new one has to be asked for."""


class NearbyAddressError(FatalAPIError):
    """A link leads to this machine or to a network near it."""


class ReportExpiredError(FatalAPIError):
    """Pinterest does not know a report any more: a new one has to be created."""


class QuotaError(FatalAPIError):
    """The quota does not come back within `max_wait_seconds`."""


class AwayError(FatalAPIError):
    """Pinterest has not answered for so long that this run can read nothing more."""


class TokenRefusedError(FatalAPIError):
    """Pinterest does not accept the credentials: nothing more can be read in this run."""


class GrantRefusedError(TokenRefusedError):
    """There is no access token for these credentials."""


class AppRefusedError(TokenRefusedError):
    """The app's access is not active: Pinterest answers none of its calls.

    Attributes:
        of_the_call: The error if Pinterest answers other calls of the app.
    """

    def __init__(self, message: str, of_the_call: FeatureRefusedError) -> None:
        super().__init__(message)
        self.of_the_call = of_the_call


class StaleTokenError(Exception):
    """The access token is not accepted any more."""

    def __init__(self, message: str, code: int | None) -> None:
        super().__init__(message)
        self.code = code


def affects_all_calls(error: PartError) -> bool:
    """Whether other calls would fail with the same error."""
    return isinstance(error, (AwayError, QuotaError, TokenRefusedError))


def may_be_about_one_id(error: PartError) -> bool:
    """Whether Pinterest may refuse a call for many ids because of one of them."""
    if isinstance(error, (AccessRefusedError, GoneError)):
        return not refuses_operation(error)
    return type(error) is InvalidRequestError


def refuses_operation(refusal: SkippableAPIError) -> bool:
    """Whether Pinterest refuses the operation for all that it could name, not for one part."""
    kinds = (AccountKindError, FeatureRefusedError, NoEndpointError, ScopeRefusedError)
    return isinstance(refusal, kinds)
