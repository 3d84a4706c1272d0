"""The text of a page, for a model to read: HTML without its markup, other text as it is."""

from html.parser import HTMLParser

UNREAD = frozenset({"script", "style", "noscript", "template", "svg"})
BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li",
    "main", "nav", "ol", "p", "pre", "section", "table", "td", "th", "title", "tr", "ul",
})  # fmt: skip
TEXTS = ("text/", "application/json", "application/xml", "application/xhtml")


def readable(body: bytes, content_type: str) -> str | None:
    """The page's text, None when it is none. content_type: of the response's header, or empty."""
    kind, _, parameters = content_type.lower().partition(";")
    kind = kind.strip()
    if not (kind.startswith(TEXTS) or kind.endswith(("+json", "+xml")) or kind == ""):
        return None
    text = _decoded(body, parameters)
    if text is None or "html" not in kind:
        return text
    parser = _Text()
    parser.feed(text)
    parser.close()
    return parser.text()


def _decoded(body: bytes, parameters: str) -> str | None:
    charset = parameters.partition("charset=")[2].split(";")[0].strip(" \"'") or "utf-8"
    try:
        return body.decode(charset, "replace") if b"\0" not in body else None
    except LookupError:
        return body.decode("utf-8", "replace")


class _Text(HTMLParser):
    """Collects what a reader would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._unread = 0

    def text(self) -> str:
        lines = (" ".join(line.split()) for line in "".join(self._pieces).splitlines())
        return "\n".join(line for line in lines if line)

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag in UNREAD:
            self._unread += 1
        elif tag in BLOCKS:
            self._pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in UNREAD:
            self._unread = max(0, self._unread - 1)
        elif tag in BLOCKS:
            self._pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self._pieces.append(data.replace("\n", " "))
