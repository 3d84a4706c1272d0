"""Redaction: what a user would call secret is blotted out before anything is stored or logged.

One pass from left to right, so that a text that comes in pieces can be redacted as the whole of it
would be, wherever it is cut.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote

MARK = "[redacted]"

# Keys that are recognised by their form, wherever they come from.
FORMS = r"""
    \bsk-[A-Za-z0-9_-]{16,}            # OpenAI, Anthropic and those who copy them
  | \bll_[0-9a-f]{12}_[A-Za-z0-9_-]{43} # our own tokens
  | \bgh[pousr]_[A-Za-z0-9]{36,}       # GitHub
  | \bAKIA[0-9A-Z]{16}                 # AWS
  | \bAIza[0-9A-Za-z_-]{35}            # Google
  | \bxox[abposr]-[0-9A-Za-z-]{10,}    # Slack
  | (?<=://)[^/\s:@]{1,500}:[^/\s:@]{1,500}(?=@)   # user and password in a URL
"""
KEY = re.compile(FORMS, re.VERBOSE)
# The same ones where a text ends in them, for what comes next may make a key of it.
BEGUN = re.compile(
    r"""(?:
    \bs(?:k(?:-[A-Za-z0-9_-]*)?)?
  | \bl(?:l(?:_[0-9a-f]{0,12}(?:(?<=_[0-9a-f]{12})_[A-Za-z0-9_-]{0,42})?)?)?
  | \bg(?:h(?:[pousr](?:_[A-Za-z0-9]*)?)?)?
  | \bA(?:K(?:I(?:A[0-9A-Z]{0,15})?)?)?
  | \bA(?:I(?:z(?:a[0-9A-Za-z_-]{0,34})?)?)?
  | \bx(?:o(?:x(?:[abposr](?:-[0-9A-Za-z-]*)?)?)?)?
  | :/?
  | ://[^/\s:@]{0,500}(?::[^/\s:@]{0,500})?
    )\Z""",
    re.VERBOSE,
)
LOOKED_BACK = 3  # characters that decide whether a key may begin behind them
LINE_MIN = 16  # of a value of several lines, such as a private key: shorter ones are ordinary words
PASSWORD = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")
PASSWORD_MIN = 8
HELD_MAX = 4096  # no key is longer


class Redactor:
    """Blots out known values and everything that has the form of a key."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        # The longest first: one that begins another must not be taken for it.
        self.secrets = tuple(sorted(forms, key=len, reverse=True))

    @cached_property
    def _known(self) -> re.Pattern[str]:
        """Made when a text holds one: it takes 5 ms, which each run would begin with."""
        known = "|".join(re.escape(secret) for secret in self.secrets)
        return re.compile(f"(?:{known}) | {FORMS}", re.VERBOSE)

    def pattern(self, text: str) -> re.Pattern[str]:
        """What finds all that is secret in a text. Most hold none of ours, and to see that is much faster."""
        return self._known if any(secret in text for secret in self.secrets) else KEY

    def text(self, text: str) -> str:
        return self.pattern(text).sub(MARK, text)

    def content(self, content: bytes) -> bytes:
        """A file's bytes; of what is not text only the known values go."""
        try:
            return self.text(content.decode()).encode()
        except UnicodeDecodeError:
            for secret in self.secrets:
                content = content.replace(secret.encode(), MARK.encode())
            return content

    def value(self, value: Any) -> Any:
        """A JSON value with every string in it redacted, keys included."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(str(key)): self.value(item) for key, item in value.items()}
            case list() | tuple():
                return [self.value(item) for item in value]
        return value

    def rest(self, text: str, start: int) -> str:
        """What text[start:] becomes; what stands before is only looked back at."""
        out, at = [], start
        for secret in self.pattern(text).finditer(text, start):
            out += [text[at : secret.start()], MARK]
            at = secret.end()
        return "".join(out) + text[at:]

    def begun(self, text: str, start: int) -> int | None:
        """Where, from `start` on, something begins that the end of the text cuts off; None: nowhere."""
        form = BEGUN.search(text, start)
        places = [form.start()] if form else []
        for secret in self.secrets:
            at = text.find(secret[0], max(start, len(text) - len(secret) + 1))
            while at >= 0 and not secret.startswith(text[at:]):
                at = text.find(secret[0], at + 1)
            places += [at] if at >= 0 else []
        return min(places, default=None)


def _forms(secret: str) -> Iterator[str]:
    """A value as it may stand in a text: in JSON, in a URL, by its lines, and a URL's password alone."""
    yield secret
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield quote(secret, safe="", errors="replace")
    yield from (line for line in secret.splitlines() if len(line) >= LINE_MIN)
    password = PASSWORD.search(secret)
    if password is not None and len(password[1]) >= PASSWORD_MIN:
        yield from (password[1], unquote(password[1]))


class Stream:
    """A text that comes in pieces. What comes out, joined, is what `Redactor.text` makes of the whole.

    What may be the beginning of a secret is held back until it is known. That is never over by time:
    a slow model would then be how a secret comes through.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held_max = max([HELD_MAX, *map(len, redactor.secrets)])
        self._seen = ""  # the end of what has come out, as it was
        self._held = ""

    def take(self, piece: str) -> str:
        """What is certain by now."""
        text, at = self._seen + self._held + piece, len(self._seen)
        pattern = self._redactor.pattern(text)
        out = []
        while True:
            begun = self._redactor.begun(text, at)
            secret = pattern.search(text, at)
            if secret is None or (begun is not None and begun <= secret.start()):
                break
            out += [text[at : secret.start()], MARK]
            at = secret.end()
        end = len(text) if begun is None else begun
        if len(text) - end > self._held_max:
            out, at, end = [*out, self._redactor.rest(text, at)], len(text), len(text)
        self._seen, self._held = text[max(0, end - LOOKED_BACK) : end], text[end:]
        return "".join([*out, text[at:end]])

    def end(self) -> str:
        """What was held back: nothing follows that could make more of it."""
        text = self._redactor.rest(self._seen + self._held, len(self._seen))
        self._seen = self._held = ""
        return text
