"""Two languages: how templates are marked, what is looked up, and what a Chinese reader sees."""

import re
from datetime import date, timedelta
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.core.management import call_command
from django.template import Context, Engine, engines
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from sharing.consent.models import Consent
from sharing.consent.rules import Performer, Verification
from sharing.kernel.saying import said
from sharing.web import words
from sharing.web.languages.marking import marked, messages_in
from sharing.web.templatetags.portal import age, counted, day, person
from sharing.web.wording import verified
from tests.cast import Region, make_patient
from tests.sessions import sign_in

CATALOGUE = settings.BASE_DIR / "locale/zh_Hans/LC_MESSAGES"


@pytest.mark.parametrize(
    ("source", "messages"),
    [
        ("<h1>Home</h1>", ["Home"]),
        ("<p>Asked by {{ who.name }}, {{ at|day }}.</p>", ["Asked by %(name)s, %(at)s."]),
        ("<b>{{ name }}</b> · {{ day }}", []),
        ("<p>{{ reason }}.</p><p>{{ day }}: {{ hour }}.5</p>", [".", ": "]),
        ('<a title="Open it" class="big btn" href="/x/y">{{ t }}</a>', ["Open it"]),
        ('{% include "a.html" with heading="Nothing yet" icon="share" %}', ["Nothing yet"]),
        ('{{ day|default:"Date unknown" }}', ["Date unknown"]),
        ("<kbd>Home</kbd><script>let word = 1</script><code>some code</code>", []),
        ("<dd><kbd>s</kbd> Scroll, <code>x</code> then go</dd>", ["Scroll,", "then go"]),
        ("{% block body_class %}wide page{% endblock %}", []),
        ("{% if a %}One thing{% else %}Another{% endif %}", ["One thing", "Another"]),
        ("<p>50 % of it, {{ n }}</p>", ["50 %% of it, %(n)s"]),
        ("<p>Half, 50 %</p>", ["Half, 50 %%"]),
        ("{# No text for readers #}<!-- nor this -->", []),
    ],
)
def test_what_people_read_is_marked_and_nothing_else(source: str, messages: list[str]) -> None:
    assert messages_in(source) == messages


def test_a_marked_template_says_in_english_what_it_said_before() -> None:
    source = '<p title="{{ a }} told">  {{ a }}’s <b>{{ b|upper }}</b> of {{ a.b }} &amp; more</p>'
    context = {"a": "<Pat>", "b": "ct"}
    plain = Engine(builtins=["django.templatetags.i18n"])
    before = plain.from_string(source).render(Context(context))
    assert plain.from_string(marked(source)).render(Context(context)) == before


def test_every_template_is_good_after_marking() -> None:
    folder = settings.BASE_DIR / "templates"
    for path in sorted(folder.rglob("*.html")):
        engines["django"].from_string(marked(path.read_text(encoding="utf-8")))


def test_every_text_of_templates_and_code_has_its_translation() -> None:
    call_command("texts", check=True)


def test_the_compiled_catalogue_is_the_one_that_is_read(tmp_path: Path) -> None:
    catalogue = polib.pofile(str(CATALOGUE / "django.po"))
    catalogue.save_as_mofile(str(tmp_path / "django.mo"))
    same = (tmp_path / "django.mo").read_bytes() == (CATALOGUE / "django.mo").read_bytes()
    assert same, "run `manage.py texts`"  # a difference of two large files is drawn for minutes


def test_a_translation_names_nothing_that_its_text_does_not() -> None:
    holes = re.compile(r"%\(\w+\)s|\{\w+\}")
    for entry in polib.pofile(str(CATALOGUE / "django.po")):
        assert set(holes.findall(entry.msgstr)) <= set(holes.findall(entry.msgid)), entry.msgid


def test_sentences_with_names_are_found_by_their_pattern() -> None:
    sentence = "Patient permitted Hilltop Family Clinic for treatment, until 30 Jun 2027"
    assert said(sentence) == sentence
    with override("zh-hans"):
        assert said(sentence) == "患者同意Hilltop Family Clinic为治疗查看，至2027年6月30日"
        assert said("Nobody wrote this down") == "Nobody wrote this down"
        assert said("Pat Moreau and Lin Xiaoyan") == "Pat Moreau and Lin Xiaoyan"


def test_lists_sentences_and_first_words_are_put_together_of_what_is_known() -> None:
    with override("zh-hans"):
        assert said("read reports, view images and download") == "阅读报告、查看影像和下载"
        assert said("C-1001 v1 is not in force now") == "C-1001 v1 现在未生效"
        assert said("Choose one. Fill this in.") == "请选择一项。请填写此项。"
        assert said("Choose one. Ada wrote this.") == "Choose one. Ada wrote this."
        assert said("Anybody outside Riverside") == said("anybody outside Riverside") != ""


@pytest.mark.parametrize("verification", Verification)
@pytest.mark.parametrize("performer", Performer)
def test_how_a_consent_was_agreed_is_said_whole_in_chinese(
    verification: Verification, performer: Performer
) -> None:
    consent = Consent(performer=performer, verification=verification, witness="梅")
    with override("zh-hans"):
        assert not re.search("[A-Za-z]", said(verified(consent)))


def test_names_dates_ages_and_counts_are_written_as_in_china() -> None:
    class Lin:
        latin, native = "LIN^Xiaoyan", "林^晓燕"

    with override("zh-hans"):
        stopped = engines["django"].from_string(marked("{{ whole }}, {{ hours }}; {{ whole }}."))
        assert stopped.render({"whole": "CT", "hours": 1}) == "CT，1；CT。"
        assert person(Lin) == '<span class="name">林晓燕</span>'
        assert day(date(2026, 11, 12)) == "2026年11月12日"
        assert (words.month(10), words.day_of_month(date(2026, 9, 7))) == ("10月", "9月7日")
        assert age(date(1971, 3, 14), date(2026, 11, 24)) == "55岁"
        assert counted(1014, "image") == "1,014幅影像"


def test_ben_reads_his_lists_in_chinese_and_goes_back_to_english(region: Region) -> None:
    region.at = timezone.now()
    patient = make_patient(region.riverside, "RV-7", name="Home^Permits")
    region.study(patient, description="Chest with contrast", modalities="|CT|")
    region.permit(patient=patient, ends_at=region.at + timedelta(days=90))
    ben = sign_in(Client(), region.ben.user)
    chosen = ben.post(reverse("set_language"), {"language": "zh-hans", "next": "/studies/"})
    assert chosen.url == "/studies/"
    shown = ben.get("/studies/").content.decode()
    assert '<html lang="zh-hans">' in shown
    assert "可以查看的依据" in shown
    assert "患者同意Hilltop Family Clinic为治疗查看" in shown
    assert "HOME Permits" in shown  # a person's name is no word of the portal's
    assert "Chest with contrast" in shown
    ben.post(reverse("set_language"), {"language": "en", "next": "/"})
    assert "Why you may see it" in ben.get("/studies/").content.decode()


def test_what_machines_get_is_english_and_varies_by_no_language(region: Region) -> None:
    ben = sign_in(Client(), region.ben.user)
    answer = ben.get("/api/v1/studies/none/", headers={"Accept-Language": "zh-CN"})
    assert answer.json()["title"] == "Not found"
    assert "Accept-Language" not in answer.get("Vary", "")
