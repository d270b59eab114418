"""Singer tap for Pinterest."""

from __future__ import annotations

import sys
from importlib import import_module


def _import_sdk_without_numpy() -> None:
    """Import the Singer SDK, with numpy out of its sight.

    It imports joblib for the sake of targets, and joblib imports numpy wherever there is one: a
    fifth of the time that a tap takes to start, and a third of its memory.
    """
    if "numpy" in sys.modules:
        return
    # None is how an import is made to fail.
    sys.modules["numpy"] = None  # type: ignore[assignment]
    try:
        import_module("singer_sdk")
    finally:
        del sys.modules["numpy"]


_import_sdk_without_numpy()


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
