"""A start that takes less: what the stock target imports and almost nobody needs comes later."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FEW_COLLECTIONS = (50_000, 20, 20)
"""Thresholds of the garbage collector: records are no garbage with circles in it."""


UNUSED = ("joblib", "jsonpath_ng", "jsonpath_ng.ext", "upath")
"""What the SDK imports names from, to call them where this target hardly ever comes."""
RARE = "paramiko"
"""For tunnels through SSH."""


@contextmanager
def imports() -> Iterator[None]:
    """In the block, imports take less time; some modules are only imported when they are used."""
    gc.disable()
    stand_ins = {
        **{name: _Functions(name) for name in UNUSED if name not in sys.modules},
        **({} if RARE in sys.modules else {RARE: _Module(RARE)}),
    }
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name in stand_ins:
            del sys.modules[name]
        # Modules stay: no collection has to look at them again.
        gc.freeze()
        gc.set_threshold(*FEW_COLLECTIONS)
        gc.enable()


class _Module(ModuleType):
    """Imports the module with the first use of something in it."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever it has there
        """Return what the module has under that name."""
        return getattr(import_module(self.__name__), name)


class _Functions(ModuleType):
    """Imports the module with the first call of a function of it."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a function in place of the module's."""
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - those of the function
            return getattr(import_module(self.__name__), name)(*arguments, **options)

        return call
