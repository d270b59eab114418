"""The order in which a run reads its streams, and the tasks that may begin early."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from singer_sdk.helpers.types import Context

from tap_pinterest.reading.tasks import Ahead, Following, Turn
from tap_pinterest.run.stream import RunStream


class RunOrder:
    """The selected streams, one after the other, and the contexts of each."""

    def __init__(self, streams: Sequence[RunStream]) -> None:
        self._streams = streams
        self._known_contexts: dict[str, Sequence[Context | None]] = {}

    def following(self, stream: RunStream, context: Context | None) -> Following:
        """Tasks that may begin while a context is read, by rate category.

        They belong to the stream's next contexts and to later streams. While one category waits
        for quota, the others go on.
        """
        if stream not in self._streams:
            return {}
        contexts = self.contexts_of(stream) or []
        later = contexts[contexts.index(context) + 1 :] if context in contexts else []
        streams: dict[str, list[RunStream]] = {stream.category: []}
        for other in self._streams[self._streams.index(stream) + 1 :]:
            streams.setdefault(other.category, []).append(other)
        following = {name: self._ahead(others) for name, others in streams.items()}
        own = filter(None, map(stream.ahead, later))
        return {**following, stream.category: chain(own, following[stream.category])}

    def _ahead(self, streams: Iterable[RunStream]) -> Iterator[Ahead[Any] | None]:
        """Tasks of these streams that may begin; `None` while a stream's contexts are unknown."""
        for stream in streams:
            if self.contexts_of(stream) is None:
                yield Ahead(Turn(f"contexts of {stream.name}", (), stream.category), stream.found)
            while (contexts := self.contexts_of(stream)) is None:
                yield None
            yield from filter(None, map(stream.ahead, contexts))

    def contexts_of(self, stream: RunStream) -> Sequence[Context | None] | None:
        """The contexts of a stream; `None` if only a call can list them."""
        if stream.name not in self._known_contexts:
            if not stream.knows_contexts:
                return None
            try:
                self._known_contexts[stream.name] = stream.all_contexts
            except Exception:  # noqa: BLE001 - the stream gets the same error in its turn
                return []
        return self._known_contexts[stream.name]
