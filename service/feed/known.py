"""Requests that were parsed on another connection: behind some proxies each poll has a connection of its own.

An answer says what its reader asks next, to the byte. Who comes with those bytes goes on as on a kept
connection: what follows from them was found out before, and whether it still holds is seen by who waits.
"""

import re
from collections import OrderedDict

from service.feed.cursor import Filter
from service.feed.page import Page
from service.feed.template import Template
from service.feed.waiters import Group, Place

REQUESTS_MAX = 1_000
# Of one request, so many of the newest cursors: who is further behind is parsed.
CURSORS_MAX = 64
AFTER = re.compile(rb"(?<=[?&]after=)[0-9]{1,16}(?=[& ])")

Key = tuple[bytes, bytes]


class Known:
    """What was found out about a request. expires: when it has to be found out anew, monotonic.

    cursors: with which it may come, and how many more times: as often as one was given away. Who asks for the
    same again and again is parsed, and slowed down there.
    """

    __slots__ = ("checked", "cursors", "expires", "filter", "group", "holder", "template")

    def __init__(self, template: Template, wanted: Filter, holder: str | None) -> None:
        self.template = template
        self.filter = wanted
        self.holder = holder
        self.cursors: OrderedDict[int, tuple[Page, int]] = OrderedDict()
        self.checked = -1
        self.group: Group | None = None
        self.expires = 0.0

    def give(self, page: Page) -> None:
        """One more may come with the cursor of this page."""
        _, count = self.cursors.get(page.next, (page, 0))
        self.cursors[page.next] = (page, count + 1)
        if len(self.cursors) > CURSORS_MAX:
            self.cursors.popitem(last=False)

    def take(self, cursor: int) -> Page | None:
        """The page that led to a cursor, if one more may come with it."""
        page, count = self.cursors.get(cursor, (None, 0))
        if page is None or count == 0:
            return None
        self.cursors[cursor] = (page, count - 1)
        return page


class KnownRequests:
    """Those of one process, by their bytes around the cursor."""

    def __init__(self) -> None:
        self._known: dict[Key, Known] = {}

    def answered(self, place: Place, template: Template, page: Page, expires: float) -> None:
        """A connection is closed behind this page: its client comes with another one."""
        if not template.may_repeat(page) or template.key is None:
            return
        known = self._known.get(template.key)
        if known is None or known.template is not template:
            if len(self._known) >= REQUESTS_MAX:
                self._known.clear()
            known = self._known[template.key] = Known(template, place.filter, place.holder)
        known.checked, known.group = place.checked, place.group
        known.expires = max(known.expires, expires)
        known.give(page)

    def find(self, request: bytes, now: float) -> tuple[Known, Page] | None:
        """What is known of a request, and the page that its sender had before."""
        cursor = AFTER.search(request)
        if cursor is None:
            return None
        known = self._known.get((request[: cursor.start()], request[cursor.end() :]))
        if known is None or now >= known.expires:
            return None
        page = known.take(int(cursor[0]))
        return None if page is None else (known, page)
