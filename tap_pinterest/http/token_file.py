"""The file that keeps the newest tokens between runs."""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from tap_pinterest.http.errors import TokenRefusedError
from tap_pinterest.http.tokens import StoredTokens

LOCK_SECONDS = 60

_MOUNTS = Path("/proc/self/mounts")
_MOUNT = re.compile(r"^[^ ]+ ([^ ]+) ([^ ]+) ", re.MULTILINE)
_SHORT_LIVED = ("aufs", "overlay", "ramfs", "tmpfs")
"""File systems that end with a container or with the machine's memory."""
_logger = logging.getLogger("tap-pinterest.auth")


class TokenFile:
    """A file, readable by its owner only, that keeps the newest tokens between runs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the file against other processes, if the file system allows a lock.

        Raises:
            TokenRefusedError: Another process holds the lock.
        """
        # Imported here: commands and runs without a token file start sooner.
        from filelock import FileLock, Timeout  # noqa: PLC0415

        lock = FileLock(f"{self.path}.lock", mode=0o600)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.access(self.path.parent, os.W_OK):
                lock.acquire(timeout=LOCK_SECONDS)
        except Timeout:
            msg = (
                f"token_file {self.path} has been in use by another run for {LOCK_SECONDS} s. "
                "Run one after the other, or give each a token_file of its own."
            )
            raise TokenRefusedError(msg) from None
        except (OSError, NotImplementedError):
            # A lock file of another user, or a file system without locks: write() warns.
            _logger.debug("no lock for token_file %s", self.path)
        try:
            yield
        finally:
            lock.release()

    def read(self) -> StoredTokens | None:
        """The content of the file; `None` without a file.

        Raises:
            TokenRefusedError: The file exists, but cannot be read.
        """
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=StoredTokens)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, msgspec.DecodeError) as error:
            msg = (
                f"token_file {self.path} cannot be read ({type(error).__name__}). Mend or delete "
                "it; without it the run starts from the configured refresh_token."
            )
            raise TokenRefusedError(msg) from None

    def write(self, tokens: StoredTokens) -> bool:
        """Replace the file in one step; if that fails, warn and return `False`: the run goes on."""
        try:
            self.replace(tokens)
        except OSError as error:
            _logger.warning(
                "token_file %s cannot be written (%s): a renewed refresh token is lost at the end "
                "of this run. Set token_file to a place that is kept.",
                self.path,
                error.strerror,
            )
            return False
        return True

    @property
    def is_short_lived(self) -> bool:
        """Whether the system says that the file ends with a container or with the machine."""
        try:
            mounts = _MOUNT.findall(_MOUNTS.read_text("utf-8", "replace"))
        except OSError:
            return False
        kinds = {place.replace("\\040", " "): kind for place, kind in mounts}
        folders = map(str, self.path.resolve().parents)
        kind = next((kinds[each] for each in folders if each in kinds), "")
        return any(each in kind for each in _SHORT_LIVED)

    def replace(self, tokens: StoredTokens) -> None:
        """Replace the file in one step.

        Raises:
            OSError: The file cannot be written; it keeps its old content.
        """
        replace_file(self.path, msgspec.json.encode(tokens))


def replace_file(path: Path, content: bytes, mode: int | None = None) -> None:
    """Replace a file in one step, so that its reader never sees half of it.

    Args:
        path: The file.
        content: Its new content.
        mode: Its rights; by default only the user may read and write it.

    Raises:
        OSError: It cannot be written; it keeps its old content, and nothing is left behind.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            Path(name).chmod(mode)
        Path(name).replace(path)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise
