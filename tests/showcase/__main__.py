"""`make components`: docs/components, from the templates themselves: the light shell and the dark
viewer, each in English and in Simplified Chinese.
"""

import os
import re
import sys
from collections.abc import Iterator
from html import escape
from itertools import groupby, product
from pathlib import Path
from typing import Any

import django

HERE = Path(__file__).resolve().parents[2] / "docs" / "components"
LANGUAGES = ("en", "zh-hans")
ROOMS = {"components": "components.css", "viewer": "viewer.css"}
"""Folder of templates, and the sheet of its ground."""
IN_A_MENU = '<div class="menu"><div class="pop">{}</div></div>'
HEAD = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Components</title>
<link rel="stylesheet" href="../../static/build/vendor/bootstrap.min.css">
<link rel="stylesheet" href="../../static/css/tokens.css">
<link rel="stylesheet" href="../../static/css/{sheet}">
<link rel="stylesheet" href="page.css">
</head>
<body class="{ground}">
<main class="page show">
<h1>{folder}</h1>
<p class="mute">Made from the templates by <code>make components</code>.
Styles come from <code>static/</code> after <code>make setup</code>. {links}</p>
"""


def page(folder: str, language: str) -> str:
    """The whole page of a folder of templates in that language."""
    from django.utils import translation

    from tests.showcase.states import dark, states

    names = [(f"{room}.{each}", f"{room}, {each}") for room in ROOMS for each in LANGUAGES]
    links = " · ".join(f'<a href="{name}.html">{words}</a>' for name, words in names)
    with translation.override(language):
        shown = dark() if folder == "viewer" else states()
        head = HEAD.format(
            language=language, sheet=ROOMS[folder], folder=folder, links=links,
            ground="vw" if folder == "viewer" else "",
        )  # fmt: skip
        return "".join((head, *_sections(folder, shown, language), "</main>\n</body>\n</html>\n"))


def _sections(folder: str, states: Any, language: str) -> Iterator[str]:
    for name, group in groupby(states, key=lambda state: state[0]):
        yield f'<section class="of">\n<h2 class="named"><code>{folder}/{name}.html</code></h2>\n'
        for _, state, context in group:
            shown = _rendered(f"{folder}/{name}.html", context, language)
            shown = IN_A_MENU.format(shown) if name == "me_items" else shown
            yield f'<p class="state">{escape(state)}</p>\n<div class="one">\n{shown}\n</div>\n'
        yield "</section>\n"


def _rendered(template: str, context: dict[str, Any], language: str) -> str:
    """Dialogs stand open, or nobody would see them; names of elements stand once a page."""
    from django.template import Context
    from django.template.loader import get_template
    from django.test import RequestFactory

    given = {"request": RequestFactory().get("/"), "LANGUAGE_CODE": language, **context}
    found: Any = get_template(template)
    text = found.template.render(Context(given))
    lines = (line.rstrip() for line in text.replace("<dialog ", "<dialog open ").splitlines())
    return re.sub(r"\n{2,}", "\n", "\n".join(lines)).strip()


def main() -> int:
    """Write all of them."""
    import time_machine

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.showcase.states import NOW

    with time_machine.travel(NOW, tick=False):
        for folder, language in product(ROOMS, LANGUAGES):
            text = page(folder, language)
            (HERE / f"{folder}.{language}.html").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
