"""`manage.py texts`: the catalogue of the second language, as templates and code speak now."""

from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sharing.web.languages.gathering import in_code, in_templates, of_terms, on_pages, to_patients

FOLDER = Path("locale/zh_Hans/LC_MESSAGES")
HEADER = {
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Transfer-Encoding": "8bit",
    "Language": "zh_Hans",
    "Plural-Forms": "nplurals=1; plural=0;",
}


class Command(BaseCommand):
    """Keeps what is translated, adds what is new, drops what nobody says any more, compiles."""

    help = "Update locale/zh_Hans from templates and code; --check only tells what is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        """`--check` writes nothing and fails where something is missing."""
        parser.add_argument("--check", action="store_true")
        parser.add_argument("--missing", action="store_true", help="print what is not translated")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError where something is not translated."""
        folder = settings.BASE_DIR / FOLDER
        catalogue = updated(settings.BASE_DIR, folder / "django.po")
        missing = [entry.msgid for entry in catalogue if not entry.msgstr]
        if options["missing"]:
            self.stdout.write("\n".join(missing))
        if not options["check"]:
            folder.mkdir(parents=True, exist_ok=True)
            catalogue.save(str(folder / "django.po"))
            catalogue.save_as_mofile(str(folder / "django.mo"))
        if options["check"] and missing:
            raise CommandError(f"{len(missing)} texts are not translated; see --missing")


def updated(root: Path, path: Path) -> polib.POFile:
    """The catalogue of what there is to translate now, with the translations that are kept."""
    held = polib.pofile(str(path)) if path.exists() else polib.POFile()
    kept = {entry.msgid: entry for entry in held}
    made = polib.POFile(wrapwidth=100)
    made.metadata = HEADER
    texts = [*in_templates(root), *in_code(root), *on_pages(root), *of_terms()]
    for text in dict.fromkeys([*texts, *to_patients(texts)]):
        told = kept[text].msgstr if text in kept else ""
        flags = ["python-format"] if "%(" in text else []
        made.append(polib.POEntry(msgid=text, msgstr=told, flags=flags))
    return made
