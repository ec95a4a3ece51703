"""E-mails speak their reader's language: as they chose, else as their organization speaks."""

import re
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from sharing.notify.digests import send_waiting
from sharing.notify.plain import plain
from sharing.notify.posting import post, post_to_all
from sharing.notify.rules import MOVED, SUBJECTS, Addressee, Way, shared_text
from sharing.notify.wishes import choose
from sharing.tenants import services as tenants
from sharing.tenants.models import Organization, User
from sharing.tenants.rules import Role
from tests.cast import NOW, Region
from tests.sessions import sign_in

LINK = "http://testserver/x/"
ENGLISH = re.compile(r"[A-Za-z]{2,}")
SAID = SimpleNamespace(
    sent_by="林", reason="材料不全", by_name="王", expires_at=NOW, email="2", text="1", link=LINK
)


def reads(user: User, language: str) -> User:
    """They chose it at the foot of a page."""
    tenants.choose_language(user=user, language=language)
    return user


def filled(template: str) -> dict[str, Any]:
    """What every e-mail may name, with names in Chinese, so that any English left is ours."""
    return {
        "link": LINK, "letter": SAID, "move": SAID, "reason": "材料不全", "user": SAID,
        "password": "12345", "text": shared_text("林", "河滨医院", 2),
        "sentence": MOVED["sign"], "lines": [SAID],
    }  # fmt: skip


@pytest.mark.parametrize("template", SUBJECTS)
def test_every_e_mail_is_wholly_chinese_for_who_reads_chinese(
    region: Region, template: str
) -> None:
    house = Organization(name="河滨医院", languages=["zh-Hans", "en"], question="地址是哪里？")
    post("k", Addressee("1@2.3", "林"), template, house, lambda: filled(template), at=NOW)
    sent = mail.outbox[0]
    html = re.sub(r"<[^>]+>", "", str(sent.alternatives[0][0]))
    for said in (str(sent.subject), str(sent.body), html):
        assert ENGLISH.findall(re.sub(r"http\S+", "", said)) == []


def test_ben_reads_his_e_mail_in_the_language_that_he_chose(region: Region) -> None:
    ben = sign_in(Client(), region.ben.user)
    ben.post(reverse("set_language"), {"language": "zh-hans", "next": "/"})
    text = {"text": shared_text("Ada", "Riverside", 2), "link": LINK}
    people = [User.objects.get(pk=user.pk) for user in (region.ben.user, region.ada.user)]
    post_to_all(people, "shared:1", "shared", region.hilltop, lambda: text, at=NOW)
    chinese, english = (str(message.body) for message in mail.outbox)
    assert "Riverside的Ada向您共享了2项检查。" in chinese.replace(" ", "")
    assert f"登录查看:\n{LINK}" in chinese
    assert "Ada of Riverside shared 2 studies with you." in english


def test_a_digest_speaks_it_too_whatever_was_told_in_english(region: Region) -> None:
    reads(region.ben.user, "zh-hans")
    choose(by=region.ben.actor, ways={"shared": Way.DAILY}, quiet=None)
    text = {"text": shared_text("Ada", "Riverside", 1), "link": LINK}
    post_to_all([region.ben.user], "a", "shared", region.hilltop, lambda: text, at=NOW)
    assert send_waiting(at=datetime(2027, 12, 1, tzinfo=NOW.tzinfo)) == 1
    assert "新消息" in str(mail.outbox[0].subject + mail.outbox[0].body)
    assert "shared" not in str(mail.outbox[0].body)


def test_who_has_no_account_yet_is_written_to_as_the_organization_speaks(
    region: Region, run_jobs: Callable[..., int]
) -> None:
    Organization.objects.filter(pk=region.riverside.pk).update(languages=["zh-Hans"])
    tenants.invite(
        email="n@x.example", name="林", roles=[Role.CLERK], by=region.admin.actor, at=NOW
    )
    run_jobs()
    assert "邀请" in str(mail.outbox[0].subject)


def test_who_signs_in_elsewhere_finds_their_language(region: Region) -> None:
    reads(region.ben.user, "zh-hans")
    with override("en"):
        assert tenants.note_language(user=region.ben.user, language="en") == "zh-hans"
    assert tenants.note_language(user=region.ada.user, language="zh-hans") == "zh-hans"
    assert tenants.language_of(region.ada.user.email.upper(), region.riverside) == "zh-hans"
    reads(region.ada.user, "tlh")
    assert tenants.language_of(region.ada.user.email, region.riverside) == "zh-hans"


def test_plain_text_is_what_the_html_says() -> None:
    html = """<head><title>Never</title></head><p>Sam,</p>
    <p>Two   &amp; more: <a href="http://x/">Open it</a>, before 2 Dec.</p>
    <ul><li>First</li> <li>Second: <code>a b</code></li></ul><hr><p><small>Us</small></p>"""
    assert plain(html) == (
        "Sam,\n\nTwo & more: Open it:\nhttp://x/\n, before 2 Dec.\n\n"
        "- First\n- Second: a b\n\n--\n\nUs\n"
    )
