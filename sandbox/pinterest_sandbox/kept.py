"""Reports that are kept in a folder, so that the same report need not be made again."""

from __future__ import annotations

import gzip
import hashlib
import os
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pinterest_sandbox.calls import Call


class KeptReports:
    """Reports of synchronous calls, compressed, by all that they depend on.

    To make up the numbers of a report takes a hundred times as long as to send them: whoever
    measures a client has one run fill the folder, and measures the next.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def report(self, key: str, call: Call, make: Callable[[Call], Any]) -> Any:  # noqa: ANN401
        """The answer to a call of an operation, from the folder if it is one of a report."""
        if call.truth or not (key.startswith("GET ") and key.endswith("/analytics")):
            return make(call)
        world = call.world
        question = repr((world.seed, world.size, call.today, call.settings.style, key, call.values))
        path = self._folder / f"{hashlib.sha256(question.encode()).hexdigest()}.json.gz"
        if path.exists():
            return msgspec.Raw(gzip.decompress(path.read_bytes()))
        answer = make(call)
        begun = path.with_suffix(f".{os.getpid()}")
        begun.write_bytes(gzip.compress(msgspec.json.encode(answer), compresslevel=1))
        begun.replace(path)
        return answer
