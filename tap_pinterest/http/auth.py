"""Access tokens: where they come from, when they are renewed, where they are kept."""

from __future__ import annotations

import hashlib
import logging
import math
import os
import re
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec
from filelock import FileLock, Timeout
from singer_sdk.exceptions import FatalAPIError
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_pinterest.clock import Clock
    from tap_pinterest.config import Settings

LEEWAY_SECONDS = 60
LOCK_SECONDS = 60
FINISH_SECONDS = 10
WARN_DAYS = (1, 7, 14)

_DAY = 86_400
_MOUNTS = Path("/proc/self/mounts")
_SHORT_LIVED = ("aufs", "overlay", "ramfs", "tmpfs")
"""File systems of a container itself, and in memory."""
_logger = logging.getLogger("tap-pinterest.auth")

AskForToken = Callable[[Mapping[str, str]], "TokenAnswer"]
"""Sends the form fields to the token endpoint and returns its answer."""


class TokenRefusedError(FatalAPIError):
    """Pinterest does not accept the credentials: nothing more can be read in this run."""


class TokenAnswer(msgspec.Struct):
    """What a token endpoint, or a proxy of it, answers. Source: POST /oauth/token."""

    access_token: str
    expires_in: float = 3600
    """Seconds; a refresh proxy may leave it out."""
    scope: str | None = None
    refresh_token: str | None = None
    refresh_token_expires_at: int | None = None
    refresh_token_expires_in: int | None = None


class StoredTokens(msgspec.Struct):
    """What a token file holds; times are Unix seconds."""

    configured: str
    """Hash of the configured refresh token that these tokens descend from."""
    refresh_token: str
    access_token: str = ""
    expires_at: float = 0
    scope: str = ""
    refresh_token_expires_at: int | None = None

    @classmethod
    def of(cls, answer: TokenAnswer, before: StoredTokens, now: float) -> StoredTokens:
        """The tokens of an answer, which take the place of those `before`."""
        ends = answer.refresh_token_expires_at
        if ends is None and answer.refresh_token_expires_in is not None:
            ends = int(now + answer.refresh_token_expires_in)
        if ends is None and answer.refresh_token in {None, before.refresh_token}:
            ends = before.refresh_token_expires_at
        return cls(
            configured=before.configured,
            refresh_token=answer.refresh_token or before.refresh_token,
            access_token=answer.access_token,
            expires_at=now + answer.expires_in,
            scope=answer.scope or "",
            refresh_token_expires_at=ends,
        )

    @classmethod
    def configured_as(cls, refresh_token: str | None) -> StoredTokens:
        """What the config gives: a refresh token, or none where a file is to have one."""
        text = refresh_token or ""
        return cls(hashlib.sha256(text.encode()).hexdigest(), text)


class Authenticator(Protocol):
    """Gives out the access token that a call carries."""

    def token(self) -> str:
        """A token that is good for at least the next `LEEWAY_SECONDS`."""

    def refuse(self, token: str) -> bool:
        """Take note that Pinterest refused a token; whether another try makes sense."""

    def scopes(self) -> frozenset[str] | None:
        """What the token may read; `None` where Pinterest has not said."""

    def finish(self) -> None:
        """Wait a little for a renewal that another thread is at, so that what it brings is kept."""


class StaticToken:
    """One access token from the config, which nobody renews."""

    def __init__(self, access_token: str) -> None:
        """Hold the token."""
        self._token = access_token

    def token(self) -> str:
        """The configured token."""
        return self._token

    def refuse(self, token: str) -> bool:  # noqa: ARG002 - the protocol's signature
        """There is no other token."""
        return False

    def scopes(self) -> None:
        """Nobody knows: only the answer to a grant tells."""

    def finish(self) -> None:
        """There is none."""


class RenewedToken:
    """An access token that is fetched when needed, once for all threads."""

    def __init__(self, ask: AskForToken, fields: Mapping[str, str], clock: Clock) -> None:
        """An authenticator without a token yet.

        Args:
            ask: Calls the token endpoint.
            fields: Form fields of the grant.
            clock: Where the time comes from.
        """
        self._ask = ask
        self._fields = fields
        self._clock = clock
        self._lock = threading.Lock()
        self._access_token = ""
        self._expires_at = 0.0
        self._scope = ""

    def token(self) -> str:
        """The current token, renewed first if it is about to expire.

        Raises:
            TokenRefusedError: Pinterest refuses the credentials.
        """
        with self._lock:
            if not self._is_good():
                self._renew()
            return self._access_token

    def refuse(self, token: str) -> bool:
        """Forget the token, unless another thread has replaced it already."""
        with self._lock:
            if token == self._access_token:
                self._access_token = ""
        return True

    def scopes(self) -> frozenset[str] | None:
        """What the current token, renewed first if need be, was granted."""
        self.token()
        return frozenset(re.findall(r"[^\s,]+", self._scope)) or None

    def finish(self) -> None:
        """Wait a little for a renewal that another thread is at, so that what it brings is kept."""
        if self._lock.acquire(timeout=FINISH_SECONDS):
            self._lock.release()

    def _is_good(self) -> bool:
        return bool(self._access_token) and self._clock.now() < self._expires_at - LEEWAY_SECONDS

    def _renew(self) -> None:
        self._accept(self._ask(self._fields))

    def _accept(self, answer: TokenAnswer) -> None:
        self._access_token = answer.access_token
        self._expires_at = self._clock.now() + answer.expires_in
        self._scope = answer.scope or ""


class RefreshToken(RenewedToken):
    """An access token renewed with a refresh token, which Pinterest replaces each time.

    The newest refresh token is kept in a file between runs: sooner or later the one in the
    config stops working.
    """

    def __init__(
        self,
        ask: AskForToken,
        refresh_token: str | None,
        clock: Clock,
        file: TokenFile | None,
        access_token: str = "",
    ) -> None:
        """An authenticator that starts from the config's refresh token, or the file's.

        Args:
            ask: Calls the token endpoint.
            refresh_token: The configured one, if there is one.
            clock: Where the time comes from.
            file: Where the newest are kept.
            access_token: One that is good until Pinterest refuses it.
        """
        super().__init__(ask, {}, clock)
        self._access_token = access_token
        self._expires_at = math.inf
        self._is_configured = bool(refresh_token)
        self._tokens = StoredTokens.configured_as(refresh_token)
        self._configured = self._tokens.configured
        self._file = file
        self._refused = ""
        self._has_warned_of_the_place = False

    @override
    def refuse(self, token: str) -> bool:
        self._refused = token
        return super().refuse(token)

    @override
    def _renew(self) -> None:
        with self._file.lock() if self._file else nullcontext():
            self._load()
            if self._is_good() and self._access_token != self._refused:
                return
            if not self._tokens.refresh_token:
                msg = "There is no refresh token any more. Sign in with tap-pinterest-login."
                raise TokenRefusedError(msg)
            answer = self._ask(
                {
                    "grant_type": "refresh_token",
                    "refresh_token": self._tokens.refresh_token,
                    "continuous_refresh": "true",
                }
            )
            self._accept(answer)
            self._keep(answer)

    def _load(self) -> None:
        """Take over what another run has stored, unless the config has another token by now."""
        stored = self._file.read() if self._file else None
        if stored and (stored.configured == self._configured or not self._is_configured):
            self._tokens = stored
            self._access_token, self._expires_at = stored.access_token, stored.expires_at
            self._scope = stored.scope

    def _keep(self, answer: TokenAnswer) -> None:
        rotated = answer.refresh_token not in {None, self._tokens.refresh_token}
        self._tokens = StoredTokens.of(answer, self._tokens, self._clock.now())
        self._warn_of_expiry()
        if self._file:
            if self._file.write(self._tokens) and rotated:
                self._warn_of_the_place(self._file)
        elif rotated:
            _logger.warning(
                "Pinterest replaced the refresh token, and token_file is switched off: the new "
                "one is lost at the end of this run. Set token_file, so that access lasts."
            )

    def _warn_of_the_place(self, file: TokenFile) -> None:
        if not self._has_warned_of_the_place and file.is_short_lived:
            self._has_warned_of_the_place = True
            _logger.warning(
                "token_file %s is gone when this container or machine ends, and with it the "
                "refresh token that Pinterest has just replaced. Set token_file to a place that "
                "is kept, such as a volume.",
                file.path,
            )

    def _warn_of_expiry(self) -> None:
        if not self._tokens.refresh_token_expires_at:
            return
        left = self._tokens.refresh_token_expires_at - self._clock.now()
        if any(left <= days * _DAY for days in WARN_DAYS):
            _logger.warning(
                "The refresh token ends in %.1f days. Before that, sign in: tap-pinterest-login.",
                max(left / _DAY, 0),
            )


class TokenFile:
    """A file, readable by its owner only, that keeps the newest tokens between runs.

    Attributes:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is read or written yet."""
        self.path = path

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold off other processes that use the same file, where a lock can be had at all.

        Raises:
            TokenRefusedError: Another process does not let go of it.
        """
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
        """What the file holds; `None` when there is no file.

        Raises:
            TokenRefusedError: It is there and cannot be read.
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
        """Replace the file in one step, or warn, since the run can go on; whether it could be."""
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
        """Whether it ends with a container, or with the machine, as far as this system tells."""
        try:
            mounts = [line.split() for line in _MOUNTS.read_text("utf-8", "replace").splitlines()]
        except OSError:
            return False
        kinds = {mount.replace("\\040", " "): kind for _, mount, kind, *_ in mounts}
        folders = map(str, self.path.resolve().parents)
        kind = next((kinds[each] for each in folders if each in kinds), "")
        return any(each in kind for each in _SHORT_LIVED)

    def replace(self, tokens: StoredTokens) -> None:
        """Replace the file in one step.

        Raises:
            OSError: It cannot be written; what it held is still there.
        """
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f"{self.path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(tokens))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except OSError:
            with suppress(OSError):
                Path(name).unlink()
            raise


def redeem(ask: AskForToken, code: str, redirect_uri: str) -> TokenAnswer:
    """The tokens that the code of a consent is good for, once.

    Raises:
        TokenRefusedError: It is not good, or the app's credentials are not.
    """
    # An app from before 2025-09-25 gets a refresh token that can be renewed only if it says so.
    return ask(
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "continuous_refresh": "true",
        }
    )


def keep(settings: Settings, answer: TokenAnswer, clock: Clock) -> None:
    """Store new tokens where a run with these settings looks for them.

    Raises:
        TokenRefusedError: The file is in use by a run.
        OSError: It cannot be written.
    """
    if settings.token_path is None:
        return
    file = TokenFile(settings.token_path)
    before = StoredTokens.configured_as(settings.refresh_token)
    with file.lock():
        file.replace(StoredTokens.of(answer, before, clock.now()))


def authenticator_for(settings: Settings, ask: AskForToken, clock: Clock) -> Authenticator:
    """The authenticator that the settings name."""
    match settings.auth_method:
        case "access_token":
            return StaticToken(settings.access_token or "")
        case "client_credentials":
            fields = {"grant_type": "client_credentials", "scope": ",".join(settings.scopes)}
            return RenewedToken(ask, fields, clock)
        case _:
            file = TokenFile(settings.token_path) if settings.token_path else None
            known = settings.access_token if settings.refresh_proxy_url else None
            return RefreshToken(ask, settings.refresh_token, clock, file, known or "")
