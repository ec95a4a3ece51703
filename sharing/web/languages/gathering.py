"""What there is to translate: the text of templates, and the English that Python code says.

In Python a text counts by where it stands: a label, a help text or a choice of a form, a message, a
word of an enumeration, a reason of a decision. In the modules of pages each text of several words
does, wherever it stands. An f-string becomes a pattern, `until {until}`.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from sharing.tenants.terms import TERMS
from sharing.web.deeds import to_the_patient

from .marking import messages_in

KEYWORDS = frozenset(
    ["answer", "help_text", "label", "message", "question", "reason", "sentence", "words"]
)
CALLS = frozenset({
    "Facet", "Failed", "Field", "Heard", "Result", "Step", "ValidationError", "_moved", "_refuse",
    "_want", "add_error", "error", "info", "said", "success", "warning", "word",
})  # fmt: skip
NAMES = frozenset(
    [
        "found",
        "message",
        "reason",
        "said",
        "sentence",
        "text",
        "too_early",
        "told",
        "until",
        "why",
        "words",
    ]
)
TABLES = re.compile(r"^_?[A-Z][A-Z_]+$")
"""Names of modules' tables: all texts in their values count."""
SPOKEN = (
    "sharing/web/*.py", "sharing/web/forms/*.py", "sharing/viewer/*.py",
    "sharing/access/rules/*.py",
    "sharing/*/errors.py", "sharing/*/rules.py", "sharing/kernel/*.py", "sharing/notify/*.py",
    "sharing/audit/patterns.py", "sharing/access/*.py", "sharing/archive/services/showing.py",
    "sharing/archive/services/deciding.py", "sharing/archive/services/whose.py",
    "sharing/tenants/life.py", "sharing/dicom/regions.py", "sharing/office/echo.py",
    "sharing/office/services/testing.py",
)  # fmt: skip
PAGES = (
    "sharing/web/*.py", "sharing/web/forms/*.py", "sharing/viewer/*.py", "sharing/tenants/*.py",
    "sharing/tenants/services/joining.py", "sharing/tenants/services/signing.py",
    "sharing/office/services/testing.py",
)  # fmt: skip
_SEVERAL = re.compile(r"[A-Za-z’}:,] \(?[A-Za-z{]")
_TEXT = re.compile(
    r"^(?=.*[a-z])(?:[,.;] )?[A-Z(“0-9{][^\n]*$|^(?:[,.;] )?[a-z][a-z’,;-]* [^\n/=_<]*$"
)

_SMALL = re.compile(r"[a-z]{4,}(?: [a-z]+)?")
_COUNTED = re.compile(r'counted:"([^"]+)"')
_MACHINE = re.compile(
    r"'none'|^private, |^form-|^Bearer |^\d\d? [A-Z][a-z]{2} \d{4}$|\(\?[!<]|%s"
    r"|^[A-Z]\w+-[A-Z]\w+$|PUBLIC_URL|\{\}"
)
"""Policies, patterns, fonts, addresses, and what the log of the machine says."""


def in_templates(root: Path) -> Iterator[str]:
    """The texts of all templates that are translated."""
    folder = root / "templates"
    for path in sorted(folder.rglob("*.html")):
        source = path.read_text(encoding="utf-8")
        yield from messages_in(source)
        for nouns in _COUNTED.findall(source):
            one, _, many = nouns.partition(",")
            yield from counted(one, many)


def counted(one: str, many: str = "") -> Iterator[str]:
    """As `words.span` says it: of one, and of many."""
    yield f"{{count}} {one}"
    yield f"{{count}} {many or one + 's'}"


def in_code(root: Path) -> Iterator[str]:
    """The texts of the modules that say something to people."""
    for pattern in SPOKEN:
        for path in sorted(root.glob(pattern)):
            yield from _said_by(ast.parse(path.read_text(encoding="utf-8")))


def _said_by(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        for value in _places(node):
            yield from _texts(value)


def to_patients(texts: Sequence[str]) -> Iterator[str]:
    """Grounds once more as the patient reads them (`sharing.web.deeds.to_the_patient`)."""
    yield from (found for text in texts if (found := to_the_patient(text)) != text)


def of_terms() -> Iterator[str]:
    """The region's terms: signed in English, read in both."""
    for heading, words in TERMS:
        yield from (heading, words)


def on_pages(root: Path) -> Iterator[str]:
    """Every text of several words in the modules that make pages."""
    for pattern in PAGES:
        for path in sorted(root.glob(pattern)):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            apart = set(_unsaid(tree))
            for node in ast.walk(tree):
                if isinstance(node, (ast.Constant, ast.JoinedStr)) and id(node) not in apart:
                    yield from (text for text in _texts(node) if _SEVERAL.search(text))


def _unsaid(tree: ast.Module) -> Iterator[int]:
    """Docstrings, the pieces of f-strings, and what a programmer is told by an exception."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)
        elif isinstance(node, ast.JoinedStr):
            yield from (id(value) for value in node.values)
        elif isinstance(node, ast.Raise) and ast.unparse(node).startswith(("raise ValueError",
                "raise LookupError", "raise KeyError", "raise RuntimeError")):  # fmt: skip
            yield from (id(each) for each in ast.walk(node))


def _places(node: ast.AST) -> Iterator[ast.expr]:
    """Expressions that stand where texts stand."""
    if isinstance(node, ast.Call):
        func = node.func
        name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
        yield from (each.value for each in node.keywords if each.arg in KEYWORDS)
        yield from node.args if name in CALLS else ()
        if name == "span":
            yield from (ast.Constant(text) for text in counted(*_nouns(node.args[1:])))
    elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [each.id for each in targets if isinstance(each, ast.Name)]
        if any(name in NAMES or TABLES.match(name) for name in names):
            yield node.value
    elif isinstance(node, (ast.Return, ast.Yield)) and node.value is not None:
        yield node.value


def _nouns(arguments: list[ast.expr]) -> list[str]:
    return [str(each.value) for each in arguments if isinstance(each, ast.Constant)]


def _texts(value: ast.expr, *, single: bool = False) -> Iterator[str]:
    """`single`: in a table of words a small word alone counts too."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        text = value.value
    elif isinstance(value, ast.JoinedStr):
        text = _pattern(value)
    else:
        for each in _parts(value):
            yield from _texts(each, single=isinstance(value, ast.Dict))
        return
    spoken = _TEXT.match(text) or (single and _SMALL.fullmatch(text))
    spoken = spoken and re.search(r"[a-z]{2}", re.sub(r"\{\w+\}", "", text))
    if spoken and not _MACHINE.search(text):
        yield text


def _parts(value: ast.expr) -> Sequence[ast.expr]:
    """The expressions of which one is said, or each."""
    if isinstance(value, (ast.Tuple, ast.List, ast.Set)):
        return value.elts
    if isinstance(value, ast.Dict):
        return value.values
    if isinstance(value, ast.IfExp):
        return (value.body, value.orelse)
    return (value.value,) if isinstance(value, ast.Subscript) else ()


def _pattern(value: ast.JoinedStr) -> str:
    parts: list[str] = []
    taken: dict[str, int] = {}
    for each in value.values:
        if isinstance(each, ast.Constant):
            parts.append(str(each.value))
        elif isinstance(each, ast.FormattedValue):
            name = re.sub(r"\W", "", ast.unparse(each.value).rsplit(".", 1)[-1]) or "value"
            taken[name] = taken.get(name, 0) + 1
            parts.append("{" + (name if taken[name] == 1 else f"{name}{taken[name]}") + "}")
    return "".join(parts)
