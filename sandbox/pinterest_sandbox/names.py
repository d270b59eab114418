"""Names as people give them: plain ones, and the odd ones that break software."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pinterest_sandbox.chance import Draws

_SEASONS = ("Spring", "Summer", "Autumn", "Winter", "Holiday", "Back to school", "Evergreen")
_THINGS = (
    "kitchen",
    "garden",
    "bedroom",
    "running shoes",
    "wedding",
    "nursery",
    "desk set-up",
    "balcony",
    "ceramics",
    "road trip",
    "knitwear",
    "sourdough",
)
_STYLES = ("launch", "retargeting", "always on", "ideas", "brand", "sale", "new arrivals", "test B")
ODD_NAMES = (
    "Été à la plage 🏖️ 50 % de réduction",
    "مجموعة الربيع",
    'Rock "n" Roll, it\'s \\ back; DROP TABLE ads; --',
    "春の新作コレクション✨",
    "  spaces around  \t",
    "Long " + "and longer " * 22 + "end",
    "<b>bold</b> & %s {name} ${HOME}",
    "👩‍👩‍👧‍👦 family of one emoji",
    "line\nbreak",
    "NULL",
)
_ODD_EVERY = 7


def name_of(draws: Draws, number: int, *, odd: bool, nul: bool) -> str:
    """A name; every seventh entity has an odd one when `odd`, the first a NUL when `nul`."""
    if nul and number == 0:
        return "NUL \x00 inside"
    if odd and number % _ODD_EVERY == _ODD_EVERY - 1:
        return ODD_NAMES[number // _ODD_EVERY % len(ODD_NAMES)]
    return f"{draws.one_of(_SEASONS)} {draws.one_of(_THINGS)} {draws.one_of(_STYLES)} {number + 1}"


def slug(text: str) -> str:
    """The ASCII letters and digits of a text, for addresses and user names."""
    words = "".join(letter if letter.isascii() and letter.isalnum() else " " for letter in text)
    return "-".join(words.lower().split()) or "untitled"


def sentence(draws: Draws) -> str:
    """A short text about nothing in particular."""
    return f"{draws.one_of(_SEASONS)} {draws.one_of(_THINGS)}, {draws.one_of(_STYLES)}."
