"""Pages that are kept until every stream that needs them has read them."""

from __future__ import annotations

import threading
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile

KEPT_IN_MEMORY = 16 * 1024 * 1024


class PageStore:
    """Keeps bodies of pages, compressed: a few in memory, many in a temporary file."""

    def __init__(self) -> None:
        self._file: SpooledTemporaryFile[bytes] | None = None
        self._places: dict[bytes, list[tuple[int, int]]] = {}
        self._lock = threading.RLock()

    @property
    def size(self) -> int:
        """Bytes of the kept pages, and of dropped pages before them."""
        with self._lock:
            return max((sum(places[-1]) for places in self._places.values()), default=0)

    def add(self, key: bytes, body: bytes) -> None:
        """Keep one more page of a call."""
        frame = zlib.compress(body, level=1)
        with self._lock:
            if self._file is None:
                self._file = SpooledTemporaryFile(max_size=KEPT_IN_MEMORY)  # noqa: SIM115 - see close
                weakref.finalize(self, self._file.close)
            self._file.seek(0, 2)
            self._places.setdefault(key, []).append((self._file.tell(), len(frame)))
            self._file.write(frame)

    @contextmanager
    def whole(self, key: bytes) -> Iterator[None]:
        """Keep all added pages of a call, or no page if reading it ends early."""
        try:
            yield
        except BaseException:
            self._places.pop(key, None)
            raise

    def has(self, key: bytes) -> bool:
        """Whether pages of the call are kept."""
        return key in self._places

    def read(self, key: bytes, *, forget: bool) -> Iterator[bytes]:
        """The pages of a call in order; `forget` drops them afterwards."""
        for start, size in self._places[key]:
            frame = self._frame(start, size)
            if frame is None:
                return
            yield zlib.decompress(frame)
        if forget:
            del self._places[key]
        with self._lock:
            if not self._places:
                self.close()

    def _frame(self, start: int, size: int) -> bytes | None:
        """A page as it is kept; `None` once the store is closed."""
        with self._lock:
            if self._file is None:
                return None
            self._file.seek(start)
            return self._file.read(size)

    def close(self) -> None:
        """Drop all pages."""
        with self._lock:
            self._places.clear()
            if self._file is not None:
                self._file.close()
                self._file = None
