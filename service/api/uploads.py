"""A mission with its files: multipart bodies, read and counted piece by piece. Stores nothing."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
)

from service.api.parsing import BODY_MAX_BYTES, CHUNK_BYTES, pieces
from service.config import Settings
from service.errors import Problem
from service.missions.files import Upload

MULTIPART = "multipart/form-data"
FILES_MAX = 50
NAME_MAX_CHARS = 200
NAME = re.compile(r"[^\x00-\x1f\x7f/\\]+")
MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}")


@dataclass(slots=True)
class Asked:
    """What a request for a mission holds. mission: the JSON text as it came."""

    mission: bytes
    files: list[Upload] = field(default_factory=list)

    def digest(self) -> bytes:
        """Equal for equal missions with equal files; the body is not, its boundary is drawn by lot."""
        parts = [self.mission]
        for file in self.files:
            parts += [file.name.encode(), hashlib.sha256(file.content).digest()]
        return b"\0".join(parts) if self.files else self.mission


@dataclass(slots=True)
class _Part:
    """A part while it comes in. most: how many bytes it may have."""

    name: str
    most: int
    filename: str | None = None
    media_type: str | None = None
    content: bytearray = field(default_factory=bytearray)


def read(settings: Settings) -> Asked:
    """The parts `mission` and `file`. Raises Problem body_too_large, invalid, bad_request."""
    parts = list(_parts(settings))
    missions = [part for part in parts if part.name == "mission"]
    if len(missions) != 1:
        raise _misfit("/mission", "there must be one part `mission`, with the mission as JSON")
    # A browser sends a file without a name and without bytes where nobody chose one.
    given = [p for p in parts if p.name == "file" and (p.filename or p.content)]
    files = [_upload(i, part) for i, part in enumerate(given)]
    for i, file in enumerate(files):
        if file.name in {earlier.name for earlier in files[:i]}:
            raise _misfit(f"/file/{i}", f"the name {file.name!r} is used twice")
    return Asked(bytes(missions[0].content), files)


def _parts(settings: Settings) -> Iterator[_Part]:
    part: _Part | None = None
    count = 0
    for event in _events(settings.upload_max_bytes):
        if isinstance(event, Field | File):
            count += 1
            if count > FILES_MAX + 1:
                raise _too_large(f"At most {FILES_MAX} files.", FILES_MAX)
            part = _begun(event, settings)
        elif isinstance(event, Data) and part is not None:
            part.content += event.data
            if len(part.content) > part.most:
                raise _too_large(f"{part.filename or part.name} is too large.", part.most)
            if not event.more_data:
                yield part


def _begun(event: Field | File, settings: Settings) -> _Part:
    if event.name == "mission":
        return _Part("mission", BODY_MAX_BYTES)
    if event.name == "file" and isinstance(event, File):
        media_type = event.headers.get("Content-Type", "").partition(";")[0].strip()
        given = media_type if MEDIA_TYPE.fullmatch(media_type) else None
        return _Part("file", settings.file_max_bytes, event.filename, given)
    name = event.name or ""  # the decoder knows of none where a part does not say its
    raise _misfit(f"/{name[:100]}", "the parts are `mission`, and `file` with a file name")


def _events(most: int) -> Iterator[Event]:
    """The decoder's events. What it cannot read is the client's fault."""
    decoder = MultipartDecoder(_boundary())
    try:
        for chunk in pieces(most, CHUNK_BYTES):
            decoder.receive_data(chunk)
            yield from _ready(decoder)
        decoder.receive_data(None)
        yield from _ready(decoder)
    except RequestEntityTooLarge:
        raise _too_large("A part's header is too large.", most) from None
    except ValueError:
        raise Problem("bad_request", "The body is no multipart form, or it is cut off.") from None


def _ready(decoder: MultipartDecoder) -> Iterator[Event]:
    while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
        yield event


def _boundary() -> bytes:
    boundary = request.mimetype_params.get("boundary", "")
    if not 1 <= len(boundary) <= 200 or not boundary.isascii():
        raise Problem("bad_request", "The Content-Type names no boundary.")
    return boundary.encode()


def _upload(i: int, part: _Part) -> Upload:
    name = part.filename or ""
    if len(name) > NAME_MAX_CHARS or not NAME.fullmatch(name):
        raise _misfit(
            f"/file/{i}", f"a file's name has 1 … {NAME_MAX_CHARS} characters, and no / or \\"
        )
    return Upload(name, bytes(part.content), part.media_type)


def _misfit(pointer: str, detail: str) -> Problem:
    error: dict[str, Any] = {"pointer": pointer, "detail": detail}
    return Problem("invalid", f"{pointer}: {detail}", errors=[error])


def _too_large(detail: str, limit: int) -> Problem:
    return Problem("body_too_large", detail, limit=limit)
