"""The page where a user lets an app in, or not."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from pinterest_sandbox.refusals import Refusal, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from pinterest_sandbox.tokens import Tokens

_SEE_OTHER = 303
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 30rem; margin: 10vh auto;
padding: 0 1rem }}
button {{ font: inherit; padding: .5rem 1.25rem; margin: 0 .5rem .5rem 0 }}
</style>
<h1>{title}</h1>
{body}
</html>
"""


class Consent:
    """Shows what an app asks for, and sends the browser back to it with the user's answer."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def routes(self) -> list[Route]:
        """The page, and what its buttons send."""
        return [
            Route("/oauth/", self.ask, methods=["GET"]),
            Route("/oauth/", self.answer, methods=["POST"]),
        ]

    async def ask(self, request: Request) -> Response:
        """The page with the scopes that the app asks for, and two buttons."""
        try:
            scopes = self._tokens.asked_scopes(_query(request))
        except Refusal as refusal:
            return _refused(refusal)
        listed = "".join(f"<li>{escape(scope)}" for scope in scopes)
        return _page(
            "A made-up Pinterest",
            f"<p>App {escape(self._tokens.client_id)} asks for access to:<ul>{listed}</ul>"
            # Without an action, the form goes to this page's address, query included.
            '<form method="post"><button name="decision" value="approve">Give access</button>'
            '<button name="decision" value="cancel">Cancel</button></form>',
        )

    async def answer(self, request: Request) -> Response:
        """Sends the browser to the app's address: with a code, or with the word that it got none.

        Where the link is not one of the app, it goes nowhere.
        """
        query = _query(request)
        decision = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        try:
            match decision.get("decision"):
                case "approve":
                    answer = {"code": self._tokens.consent(query)}
                case "cancel":
                    self._tokens.asked_scopes(query)
                    answer = {"error": "access_denied"}
                case _:
                    refuse("The form says neither yes nor no.")
        except Refusal as refusal:
            return _refused(refusal)
        if "state" in query:
            answer["state"] = query["state"]
        address = query["redirect_uri"]
        joint = "&" if "?" in address else "?"
        return RedirectResponse(f"{address}{joint}{urlencode(answer)}", status_code=_SEE_OTHER)


def _query(request: Request) -> Mapping[str, str]:
    return dict(parse_qsl(request.url.query))


def _refused(refusal: Refusal) -> Response:
    return _page("This does not work", f"<p>{escape(refusal.message)}", refusal.status)


def _page(title: str, body: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(title=title, body=body), status)
