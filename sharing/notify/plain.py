"""An e-mail's plain text, made of its HTML: one template says both. Pure."""

from html.parser import HTMLParser

BLOCKS = frozenset({"p", "ul", "blockquote"})
UNREAD = frozenset({"title", "head"})
SIGNATURE = "--"


class _Reader(HTMLParser):
    """Collects blocks: paragraphs, lines of lists, and links as words and address."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[str] = [""]
        self.links: list[str] = []
        self.unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A block begins, or a line of one."""
        self.unread += tag in UNREAD
        if tag in BLOCKS or tag == "hr":
            self._next(SIGNATURE if tag == "hr" else "")
        elif tag == "li":
            self.blocks[-1] += "\n- "
        elif tag == "br":
            self.blocks[-1] += "\n"
        elif tag == "a":
            self.links.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        """A link's address stands behind its words, alone in its line."""
        self.unread -= tag in UNREAD
        if tag == "a":
            self.blocks[-1] += f":\n{self.links.pop()}\n"
        elif tag in BLOCKS:
            self._next("")

    def handle_data(self, data: str) -> None:
        """What is read."""
        if not self.unread:
            before = self.blocks[-1]
            said = " ".join(data.split())
            apart = bool(before) and (data[:1].isspace() and not before.endswith(("\n", " ")))
            self.blocks[-1] += (" " if apart and said else "") + said
            self.blocks[-1] += " " if said and data[-1:].isspace() else ""

    def _next(self, begun: str) -> None:
        self.blocks.append(begun)
        if begun:
            self.blocks.append("")


def plain(html: str) -> str:
    """`Sign in to see them: https://...`, in paragraphs."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (_tidy(block) for block in reader.blocks)
    return "\n\n".join(line for line in lines if line) + "\n"


def _tidy(block: str) -> str:
    lines = (line.strip() for line in block.strip().splitlines())
    return "\n".join(line for line in lines if line)
