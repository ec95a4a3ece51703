"""Marks the English of a template for translation: text between tags, and what assistive technology
reads. What comes out is an ordinary template with `blocktranslate` around each run of text. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.template.base import (
    BLOCK_TAG_END,
    BLOCK_TAG_START,
    COMMENT_TAG_END,
    COMMENT_TAG_START,
    VARIABLE_TAG_END,
    VARIABLE_TAG_START,
    Lexer,
    Token,
    TokenType,
)

READ_ALOUD = frozenset({"alt", "aria-label", "placeholder", "title", "data-words"})
"""Attributes whose value is text."""
SAID = frozenset({
    "button", "heading", "help", "label", "lead", "note", "nothing", "plural", "primary_label",
    "sentence", "title", "what", "word",
})  # fmt: skip
"""Arguments of `include` and `with` whose value is text."""
SPOKEN = frozenset({
    "answer", "button", "choice_label", "did", "due", "error", "get_kind_display", "ground",
    "help_text", "label", "lead", "message", "missing", "more", "nothing", "purpose", "question",
    "reason", "said", "sentence", "small", "spoken", "todo", "verdict", "verified", "word",
    "words",
})  # fmt: skip
"""Variables, by the last of their names, whose value is English that the portal made itself: no
patient, no person and nobody's own text is ever called so in a template."""
RAW = frozenset({"script", "style", "kbd", "code"})
NAMES = frozenset({"body_class", "main_class", "purpose_class", "lang"})
"""Blocks that hold what machines read."""
_WORD = re.compile(r"[A-Za-z]{2,}|\b[A-Za-z] ")
_STOP = re.compile(r"\.(?=\s|$)|[,:;] ")
"""What ends a variable or parts it from what is next, where no word stands beside it."""
_ENTITY = re.compile(r"&#?\w+;")
_DEFAULT = re.compile(r'(\|default(?:_if_none)?:)("[^"a-z][^"]*[a-z]{2}[^"]*")')
_ARGUMENT = re.compile(r'\b(\w+)=("[^"]*[A-Za-z]{2}[^"]*")')
_HTML = re.compile(r"<!--.*?-->|<![^>]*>|</?[A-Za-z][^\s/>]*|[^<]+|<", re.DOTALL)
_IN_TAG = re.compile(r"/?>|[^\s=/>\"']+(?=\s*=)|[\"']|\s+|=|[^\s=/>\"']+|/")


@dataclass
class Marker:
    """Goes through a template once; `messages` are what it marked, `out` is what it wrote."""

    out: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    run: list[str | Token] = field(default_factory=list)
    tag: str = ""
    attribute: str = ""
    quote: str = ""
    raw: str = ""
    named: bool = False

    def take(self, source: str) -> str:
        """The template with its text marked."""
        for token in Lexer(source).tokenize():
            self._token(token)
        self._flush()
        return "".join(self.out)

    def _token(self, token: Token) -> None:
        if token.token_type == TokenType.TEXT:
            self._text(token.contents)
        elif token.token_type == TokenType.VAR and self._gathers():
            self.run.append(token)
        else:
            self._flush()
            self.out.append(self._rewritten(token))
            self._enter(token.contents.split())

    def _enter(self, words: list[str]) -> None:
        if words[:1] == ["block"] and words[1] in NAMES:
            self.named = True
        elif words[:1] == ["endblock"]:
            self.named = False

    def _gathers(self) -> bool:
        """Whether text is text here: between tags, or inside what is read aloud."""
        if self.raw or self.named:
            return False
        return not self.tag or (bool(self.quote) and self.attribute in READ_ALOUD)

    def _text(self, text: str) -> None:
        place = 0
        while place < len(text):
            if self.quote:
                place = self._inside_quotes(text, place)
            elif self.tag:
                place = self._inside_tag(text, place)
            else:
                place = self._outside(text, place)

    def _inside_quotes(self, text: str, place: int) -> int:
        end = text.find(self.quote, place)
        piece = text[place:] if end < 0 else text[place:end]
        (self.run if self._gathers() else self.out).append(piece)
        if end < 0:
            return len(text)
        self._flush()
        self.out.append(self.quote)
        self.quote = self.attribute = ""
        return end + 1

    def _inside_tag(self, text: str, place: int) -> int:
        found = _IN_TAG.match(text, place)
        piece = found[0] if found else text[place]
        self.out.append(piece)
        if piece in {">", "/>"}:
            self.raw = self.tag if self.tag in RAW else ""
            self.tag = ""
        elif piece in {'"', "'"}:
            self.quote = piece
        elif piece.strip() and piece not in {"=", "/"}:
            self.attribute = piece.lower()
        return place + len(piece)

    def _outside(self, text: str, place: int) -> int:
        found = _HTML.match(text, place)
        piece = found[0] if found else text[place]
        if piece.startswith("<") and len(piece) > 1:
            self._flush()
            self.out.append(piece)
            if not piece.startswith("<!"):
                self.tag, self.raw = piece[1:].lower(), ""  # "/kbd" where it ends
        else:
            (self.run if self._gathers() else self.out).append(piece)
        return place + len(piece)

    def _flush(self) -> None:
        run, self.run = self.run, []
        letters = "".join(_ENTITY.sub("", each) for each in run if isinstance(each, str))
        if not _WORD.search(letters):
            self._wordless(run)
            return
        before, core, after = _trimmed(run)
        self.out.extend(self._plain(each) for each in before)
        self.out.append(self._marked(core))
        self.out.extend(self._plain(each) for each in after)

    def _wordless(self, run: list[str | Token]) -> None:
        """What has no words of its own but stops, which are others in Chinese."""
        spoken = True
        for each in run:
            plain = self._plain(each)
            stop = _STOP.match(plain) if spoken and isinstance(each, str) else None
            self.out.append(self._marked([stop[0]]) + plain[stop.end() :] if stop else plain)
            spoken = isinstance(each, Token)

    def _marked(self, run: list[str | Token]) -> str:
        names: dict[str, str] = {}
        said = ""
        for each in run:
            if isinstance(each, str):
                said += each
            else:
                name = _name(each.contents, names)
                names[name] = self._filters(each.contents)
                said += "{{ " + name + " }}"
        said = re.sub(r"\s+", " ", said)
        escaped = said.replace("%", "%%")  # as `blocktranslate` asks for it
        self.messages.append(re.sub(r"\{\{ (\w+) \}\}", r"%(\1)s", escaped))
        given = "".join(f" {name}={value}" for name, value in names.items())
        opening = f"blocktranslate with{given}" if given else "blocktranslate"
        return f"{{% {opening} %}}{said}{{% endblocktranslate %}}"

    def _plain(self, each: str | Token) -> str:
        return each if isinstance(each, str) else self._rewritten(each)

    def _rewritten(self, token: Token) -> str:
        if token.token_type == TokenType.VAR:
            inside = self._filters(token.contents)
            return f"{VARIABLE_TAG_START} {inside} {VARIABLE_TAG_END}"
        if token.token_type == TokenType.COMMENT:
            return f"{COMMENT_TAG_START}{token.contents}{COMMENT_TAG_END}"
        contents = token.contents
        if contents.split(" ", 1)[0] in {"include", "with"}:
            contents = _ARGUMENT.sub(self._argument, contents)
        return f"{BLOCK_TAG_START} {self._defaults(contents)} {BLOCK_TAG_END}"

    def _filters(self, contents: str) -> str:
        name, bar, rest = contents.partition("|")
        if name.strip().rsplit(".", 1)[-1] in SPOKEN and " " not in name.strip():
            contents = f"{name.strip()}|said{bar}{rest}"
        return self._defaults(contents)

    def _defaults(self, contents: str) -> str:
        return _DEFAULT.sub(lambda found: f"{found[1]}{self._noted(found[2])}", contents)

    def _argument(self, found: re.Match[str]) -> str:
        return f"{found[1]}={self._noted(found[2])}" if found[1] in SAID else found[0]

    def _noted(self, quoted: str) -> str:
        self.messages.append(quoted[1:-1])
        return f"_({quoted})"


def _name(expression: str, taken: dict[str, str]) -> str:
    """A word for the catalogue: `study_date` for `study.study_date|day`."""
    base = re.sub(r"\W", "", expression.split("|", 1)[0].strip().rsplit(".", 1)[-1]) or "value"
    base = base if base[0].isalpha() else f"value{base}"
    number, name = 1, base
    while name in taken:
        number += 1
        name = f"{base}{number}"
    return name


def _trimmed(
    run: list[str | Token],
) -> tuple[list[str | Token], list[str | Token], list[str | Token]]:
    """The run without what stands at its ends and is no text: spaces, separators."""
    pieces = list(_split(run))
    spoken = [i for i, each in enumerate(pieces) if isinstance(each, Token) or each.strip(" \n·")]
    first, last = spoken[0], spoken[-1] + 1
    return pieces[:first], pieces[first:last], pieces[last:]


def _split(run: list[str | Token]) -> Iterator[str | Token]:
    for each in run:
        if isinstance(each, str):
            yield from (part for part in re.split(r"(^[\s·]+|[\s·]+$)", each) if part)
        else:
            yield each


def marked(source: str) -> str:
    """The template with its English marked for translation."""
    return Marker().take(source)


def messages_in(source: str) -> list[str]:
    """What there is to translate in it, as the catalogue names it, in order, each once."""
    marker = Marker()
    marker.take(source)
    return list(dict.fromkeys(marker.messages))
