"""Exit codes, and the errors that end a command or a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

OK, FAILED, NEEDS_A_PERSON = 0, 1, 78
"""Exit codes. 78 is EX_CONFIG of sysexits: a retry changes nothing."""


class FleetError(Exception):
    """A command or a run cannot go on. The text contains no secret.

    Attributes:
        may_pass: Whether the next try may succeed, as with a secret store that does not answer.
    """

    def __init__(self, text: str, *, may_pass: bool = False) -> None:
        super().__init__(text)
        self.may_pass = may_pass

    @property
    def exit_code(self) -> int:
        """The exit code for it alone."""
        return FAILED if self.may_pass else NEEDS_A_PERSON


def exit_code_of_all(codes: Iterable[int]) -> int:
    """The exit code for many connections: 78 only if a retry can help none of them."""
    failures = {*codes} - {OK}
    if failures == {NEEDS_A_PERSON}:
        return NEEDS_A_PERSON
    return FAILED if failures else OK
