"""The repeat of a request: equal to the one before in every byte but the cursor's digits and `client`.

What followed from all the other bytes – the path, the filter, the token, the headers of the answer –
follows from them again, so none of them is parsed again. Whatever looks different in any way is no repeat.
"""

import re
from dataclasses import dataclass

AFTER = re.compile(rb"[?&]after=([0-9]{1,16})(?=[& ])")
CLIENT = re.compile(rb"[?&]client=([A-Za-z0-9._~-]{0,200})(?=[& ])")
DIGITS = re.compile(rb"[0-9]{1,16}")
TEXT = re.compile(rb"[A-Za-z0-9._~-]{0,200}")
HEAD_MAX_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Repeat:
    """The bytes around the cursor, and around the text of `client` where there is one.

    between: None without `client`. cursor_first: whether `after` stands before `client`.
    """

    before: bytes
    between: bytes | None
    behind: bytes
    cursor_first: bool = True

    @classmethod
    def of(cls, request: bytes) -> "Repeat | None":
        """What a repeat of this request looks like; None where there can be none.

        request: a whole one without a body, which was parsed and allowed.
        """
        line = request[: request.find(b"\r\n")]
        after = _only(AFTER, b"after=", line)
        if after is None or len(request) > HEAD_MAX_BYTES:
            return None
        if b"client=" not in line:
            return cls(request[: after.start(1)], None, request[after.end(1) :])
        client = _only(CLIENT, b"client=", line)
        if client is None:
            return None
        one, two = sorted((after, client), key=lambda found: found.start())
        between = request[one.end(1) : two.start(1)]
        return cls(request[: one.start(1)], between, request[two.end(1) :], one is after)

    def cursor_in(self, request: bytes) -> int | None:
        """The cursor of a repeat; None for everything else, also for one that is not whole."""
        if not request.startswith(self.before) or not request.endswith(self.behind):
            return None
        digits = request[len(self.before) : len(request) - len(self.behind)]
        if self.between is not None:
            one, found, two = digits.partition(self.between)
            digits, text = (one, two) if self.cursor_first else (two, one)
            if not found or not TEXT.fullmatch(text):
                return None
        return int(digits) if DIGITS.fullmatch(digits) else None

    def request(self, after: int) -> bytes:
        """The bytes of a repeat with this cursor."""
        digits = str(after).encode()
        if self.between is None:
            return self.before + digits + self.behind
        one, two = (digits, b"x") if self.cursor_first else (b"x", digits)
        return self.before + one + self.between + two + self.behind


def _only(pattern: re.Pattern[bytes], name: bytes, line: bytes) -> re.Match[bytes] | None:
    return pattern.search(line) if line.count(name) == 1 else None
