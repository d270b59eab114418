"""Singer tap for Pinterest."""

from __future__ import annotations


def __getattr__(name: str) -> str:
    """`__version__`, which takes a while to look up and is seldom asked for.

    Raises:
        AttributeError: There is nothing else.
    """
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - see above

        return version("tap-pinterest")
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
