"""Events on their way to the recorder: what is secret is blotted out, in streamed text wherever it is cut."""

from collections.abc import Iterator
from dataclasses import replace

from service.events.kinds import Kind, NewEvent
from service.security.redaction import Redactor, Stream

# Which text an event carries a piece of. A call may stream several: what is said, and a tool's arguments.
Key = tuple[str, str | None, str | None, str | None]


class Redacting:
    """Not for several threads at once: whoever puts events in order does this under the same lock."""

    def __init__(self, redactor: Redactor) -> None:
        self.redactor = redactor
        self._streams: dict[Key, tuple[Stream, NewEvent]] = {}

    def passed(self, event: NewEvent) -> list[NewEvent]:
        """The event as it may be seen, behind what was held back of texts that it is the end of."""
        if event.kind is Kind.STREAM:
            return self._piece(event)
        event.data = self.redactor.value(event.data)
        if event.kind is Kind.LOG:  # anybody's, at any time
            return [event]
        ended = [key for key in self._streams if _ends(event, key)]
        return [*self._ended(ended), event]

    def rest(self) -> list[NewEvent]:
        """What was held back of all texts: there is nothing more."""
        return list(self._ended(list(self._streams)))

    def _piece(self, event: NewEvent) -> list[NewEvent]:
        key = (event.name, event.call, event.task, event.agent)
        stream = self._streams[key][0] if key in self._streams else Stream(self.redactor)
        self._streams[key] = stream, event
        text = stream.take(event.data["delta"])
        return [replace(event, data={**event.data, "delta": text})] if text else []

    def _ended(self, keys: list[Key]) -> Iterator[NewEvent]:
        for key in keys:
            stream, last = self._streams.pop(key)
            if text := stream.end():
                yield replace(last, data={**last.data, "delta": text})


def _ends(event: NewEvent, key: Key) -> bool:
    """Whether an event can only come when a text is complete: its call's, or one of its whole task's."""
    _name, call, task, _agent = key
    if event.call is not None:
        return event.call == call
    return event.task is None or event.task == task
