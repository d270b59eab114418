"""A faster start: some modules that the stock target imports are imported at their first use."""

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
"""Thresholds of the garbage collector: rare, because records do not form circles."""
UNUSED = ("joblib", "jsonpath_ng", "jsonpath_ng.ext", "upath")
"""Modules that the SDK imports for functions that this target hardly ever calls."""
RARE = "paramiko"
"""The module for tunnels through SSH."""


@contextmanager
def imports() -> Iterator[None]:
    """Speed up the imports in the block; some modules are imported only when they are used."""
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
        # Modules stay, so the garbage collector need not check them again.
        gc.freeze()
        gc.set_threshold(*FEW_COLLECTIONS)
        gc.enable()


class _Module(ModuleType):
    """Imports the module at the first use of a name in it."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any object of the module
        """Return the module's object of that name."""
        return getattr(import_module(self.__name__), name)


class _Functions(ModuleType):
    """Imports the module at the first call of one of its functions."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a function that calls the module's function."""
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - the function's own arguments
            return getattr(import_module(self.__name__), name)(*arguments, **options)

        return call
