"""Singer tap for Pinterest."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_FOR_TARGETS_AND_BATCHES = ("joblib", "upath")


class _Later(ModuleType):
    """Stands for a module of functions until the first of them is called."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a function of any kind
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            return getattr(import_module(self.__name__), name)(*args, **kwargs)

        return call


def _import_sdk() -> None:
    """Import the Singer SDK, without what it needs for targets and batches only.

    That is a quarter of the time that a tap takes to start: of their many modules one is numpy,
    wherever there is one. Nothing of what is made here is garbage, so none is looked for.
    """
    later = {name: _Later(name) for name in _FOR_TARGETS_AND_BATCHES if name not in sys.modules}
    sys.modules.update(later)
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        import_module("singer_sdk")
    finally:
        for name in later:
            del sys.modules[name]
        if was_enabled:
            gc.enable()


_import_sdk()


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
