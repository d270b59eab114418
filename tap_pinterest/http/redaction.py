"""Turns a text from elsewhere into one line, without secrets in any form.

Example:
    >>> secrets = Secrets()
    >>> secrets.add("open sesame")
    >>> secrets.hidden_in("no open%20sesame, no b3BlbiBzZXNhbWU=")
    'no ***, no ***'
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MAX_CHARACTERS = 100
MAX_ERROR_CHARACTERS = 500
SHORTEST = 4
"""Least length of a secret; a shorter one would hide parts of ordinary words."""

_HIDDEN = "***"
_LETTER_I = str.maketrans("\u0130\u0131", "ii")
"""Capital I with a dot, and small i without one: a pattern treats both as an i."""


class Secrets:
    """The texts that no message may repeat; safe to share between threads."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._signs: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def add(self, *secrets: str | None) -> None:
        """Hide these secrets from now on."""
        with self._lock:
            new = {each for each in secrets if each and len(each) >= SHORTEST} - self._known
            if new:
                self._known |= new
                self._signs |= {_squeezed(form) for each in new for form in _forms(each)}
                self._pattern = None

    def add_pair(self, user: str, password: str) -> None:
        """Hide a password from now on, alone and with its user as in an Authorization header."""
        self.add(password, f"{user}:{password}" if password else None)

    def hidden_in(self, text: str) -> str:
        """A text that a service sent, as part of one line, with its secrets hidden."""
        squeezed = _squeezed(text)
        # The pattern takes 10 ms to make, and hardly any text has a secret.
        if any(each in squeezed for each in self._signs):
            text = self._made_pattern().sub(_HIDDEN, text)
        return in_one_line(text, MAX_ERROR_CHARACTERS)

    def _made_pattern(self) -> re.Pattern[str]:
        with self._lock:
            if self._pattern is None:
                self._pattern = _pattern_of(self._known)
            return self._pattern


def _squeezed(text: str) -> str:
    """The text without white space and case; texts that the pattern treats alike are then equal."""
    return "".join(text.split()).translate(_LETTER_I).casefold()


def in_one_line(text: object, most: int = MAX_CHARACTERS) -> str:
    """A text from elsewhere as part of one line, cut after `most` characters."""
    return "".join(each if each.isprintable() else " " for each in str(text))[:most]


def _pattern_of(secrets: Iterable[str]) -> re.Pattern[str]:
    """Matches each form of each secret, also in other case and cut into lines."""
    plain = {form for each in secrets for form in _forms(each)}
    # A letter such as ß is two in upper case, which the flag does not know.
    longer = {form.upper() for form in plain if len(form.upper()) > len(form)}
    forms = sorted(plain | longer, key=len, reverse=True)
    return re.compile("|".join(r"\s*".join(map(re.escape, each)) for each in forms), re.IGNORECASE)


def _forms(secret: str) -> Iterator[str]:
    """The plain secret, and its forms in headers, URLs, JSON and HTML."""
    content = secret.encode()
    encoded = [base64.b64encode(content).decode(), base64.urlsafe_b64encode(content).decode()]
    for form in (secret, *encoded, *(each.rstrip("=") for each in encoded)):
        yield form
        yield from (quote(form), quote(form, safe=""), quote_plus(form), html.escape(form))
        for ascii_only in (True, False):
            yield json.dumps(form, ensure_ascii=ascii_only)[1:-1]
