"""Singer tap for Pinterest."""

from __future__ import annotations

import gc
import signal
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_NOT_FOR_A_RUN = (
    *("joblib", "upath"),  # targets and batches
    "singer_sdk.helpers.jsonpath",  # the SDK's own paginators
    *("packaging.specifiers", "packaging.version"),  # --about
)


def _end_at_ctrl_c() -> None:
    """Let Ctrl-C end a command of ours that is still importing, without a traceback.

    Other programs that import this package keep their own handling.
    """
    program = "".join(sys.argv[:1]).rpartition("/")[2]
    if program == "-m":
        program = sys.orig_argv[sys.orig_argv.index("-m") + 1].replace("_", "-")
    is_ours = program.startswith(("tap-pinterest", "map-pinterest"))
    if is_ours and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


class _Later(ModuleType):
    """Stands for a module of functions until the first of them is called."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a function of any kind
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            return getattr(import_module(self.__name__), name)(*args, **kwargs)

        return call


def _import_sdk() -> None:
    """Import the Singer SDK, without the modules that a run never calls.

    These modules take a third of the time of a start; one is numpy, if it is installed. No object
    that is made here is garbage, so the garbage collector skips them all.
    """
    later = {name: _Later(name) for name in _NOT_FOR_A_RUN if name not in sys.modules}
    sys.modules.update(later)
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        import_module("singer_sdk")
    finally:
        for name in later:
            del sys.modules[name]
        gc.freeze()
        if was_enabled:
            gc.enable()


_end_at_ctrl_c()
_import_sdk()


def __getattr__(name: str) -> str:
    """`__version__`, which takes a while to look up and is seldom needed."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - see above

        return version("tap-pinterest")
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
