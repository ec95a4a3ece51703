"""A consent as the patient reads it: one question, the facts, the promises, in their language."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from sharing.consent.rules import Decision, Force, GranteeKind, Performer
from sharing.consent.texts import Text, newest, text
from sharing.kernel.purposes import LEAVING, Obligation
from sharing.tenants.rules import Role

from .saying import Said, Whom

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MARKS = {"keeps": "x-lg", "leaves": "download", "unnamed": "incognito", "logged": "eye"}


@dataclass(frozen=True)
class Reading:
    """What stands on the patient's phone, on the paper, and beside the clerk's form."""

    name: str
    language: str
    lead: str
    question: str
    patient: str
    born: str
    facts: tuple[tuple[str, str], ...]
    promises: tuple[tuple[str, str], ...]
    full: tuple[str, ...]
    yes: str
    no: str
    calm: str
    signed: str


@dataclass(frozen=True)
class Seen:
    """A study by what a patient knows of it."""

    modalities: tuple[str, ...]
    day: date | None


FOR = "_for"
"""The texts for who speaks for a patient: `permit_for`, beside `permit`."""


def key_of(said: Said) -> str:
    """Which text speaks of it, and to whom."""
    refusals = {Force.OPT_OUT: "opt_out", Force.EXCLUSION: "exclude"}
    permits = said.decision == Decision.PERMIT
    key = "permit" if permits else refusals.get(said.force, "refuse")
    return key if said.performer == Performer.SELF else key + FOR


def reading_of(
    said: Said,
    *,
    patient: Any,
    custodian: Any,
    language: str,
    studies: Sequence[Seen] = (),
    name: str = "",
) -> Reading:
    """What the patient reads of `said`. `name`: the text that was shown then; else the newest.

    Raises TextUnknown.
    """
    shown = text(name, language) if name else newest(key_of(said), language)
    words = "words" + (FOR if shown.key.endswith(FOR) else "")
    speaker = _Speaker(text(f"{words}/{shown.version}", language), custodian)
    gaps = {
        "custodian": speaker.custodian,
        "patient": speaker.patient(patient),
        "whom": speaker.listed([speaker.whom(each) for each in _plainly(said.named)]),
        "imaging": speaker.imaging(sorted(said.modalities)),
        "studies": speaker.listed([speaker.study(each) for each in studies]),
    }
    return Reading(
        name=shown.name,
        language=language,
        lead=shown.say("lead", **gaps),
        question=shown.say("question", **gaps),
        patient=speaker.patient(patient),
        born=day(patient.birth_date, language),
        facts=tuple(_facts(shown, speaker, said, gaps)),
        promises=tuple(_promises(shown, said, gaps)),
        full=tuple(paragraph.format(**gaps) for paragraph in shown.parts["full"]),
        **{part: shown.say(part, **gaps) for part in ("yes", "no", "calm", "signed")},
    )


def _plainly(named: Iterable[Whom]) -> list[Whom]:
    """Radiologists are doctors: they are not named again beside all doctors of the same place."""
    everybody = list(named)
    doctors = [each.organization for each in everybody if each.role == Role.PHYSICIAN]
    return [
        each
        for each in everybody
        if each.role != Role.RADIOLOGIST or each.organization not in doctors
    ]


def day(value: date | None, language: str) -> str:
    """`12 Nov 2026`, `2026年11月12日`; empty for no date."""
    if value is None:
        return ""
    if language.startswith("zh"):
        return f"{value.year}年{value.month}月{value.day}日"
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def moment(value: datetime, language: str) -> str:
    """The day and the hour, in the portal's time zone."""
    local = timezone.localtime(value)
    return f"{day(local.date(), language)} {local:%H:%M}"


def _facts(
    shown: Text, speaker: "_Speaker", said: Said, gaps: dict[str, str]
) -> list[tuple[str, str]]:
    what = shown.say("only" if said.studies else "all", **gaps)
    limits = speaker.period(said.data_from, said.data_until)
    end = timezone.localtime(said.ends_at).date() if said.ends_at else None
    return [
        (shown.say("who"), gaps["whom"][:1].upper() + gaps["whom"][1:]),
        (shown.say("what"), speaker.comma.join(filter(None, [what, limits]))),
        (shown.say("why"), speaker.purposes(said)),
        (shown.say("until"), day(end, speaker.language) or shown.say("no_end")),
    ]


def _promises(shown: Text, said: Said, gaps: dict[str, str]) -> list[tuple[str, str]]:
    permits = said.decision == Decision.PERMIT
    parts = ["leaves" if permits and said.actions & LEAVING else "keeps", "logged", "ends"]
    if permits and Obligation.DEIDENTIFY in said.obligations:
        parts.insert(0, "unnamed")
    said_so = [
        (MARKS.get(part, "arrow-counterclockwise"), shown.say(part, **gaps)) for part in parts
    ]
    return [*_conditions(shown, said, gaps), *said_so] if permits else said_so


def _conditions(shown: Text, said: Said, gaps: dict[str, str]) -> list[tuple[str, str]]:
    """What the patient asks for beside; texts of before such conditions don't speak of them."""
    if "marked" not in shown.parts:
        return []
    found = []
    if Obligation.WATERMARK in said.obligations:
        found.append(("person-badge", shown.say("marked")))
    if Obligation.NOTIFY_PATIENT in said.obligations:
        found.append(("bell", shown.say("told", **gaps)))
    if said.maximum_uses is not None:
        part = "uses_one" if said.maximum_uses == 1 else "uses"
        found.append(("shield-check", shown.say(part, uses=str(said.maximum_uses))))
    return found


class _Speaker:
    """The words of one language, as of one version."""

    def __init__(self, words: Text, custodian: Any) -> None:
        self.words, self.language = words, words.language
        self.comma, self.last = str(words.parts["comma"]), str(words.parts["and"])
        self.custodian = self.organization(custodian)

    def organization(self, organization: Any) -> str:
        """By its name in the reader's script where it has one."""
        native = organization.native_name if self.language.startswith("zh") else ""
        return str(native or organization.name)

    def patient(self, patient: Any) -> str:
        """The Chinese name first and alone where known, else the Latin one."""
        native = str(patient.native or "").replace("^", "").strip()
        family, _, given = str(patient.latin or "").partition("^")
        latin = f"{family.upper()} {given.replace('^', ' ')}".strip() if given else family
        if self.language.startswith("zh") and native:
            return native
        return " ".join(filter(None, [latin, native]))

    def whom(self, whom: Whom) -> str:
        """One of those whom it names."""
        if whom.kind == GranteeKind.ORGANIZATION and whom.organization:
            return self.organization(whom.organization)
        if whom.kind == GranteeKind.PRACTITIONER and whom.user:
            return whom.user.name
        if whom.kind == GranteeKind.ROLE:
            return self._role(whom)
        if whom.team:
            at = self.organization(whom.team.organization)
            return self.words.say("team", team=whom.team.name, organization=at)
        part = {GranteeKind.NAMED_BY_CUSTODIAN: "named", GranteeKind.LINK: "link"}
        return self.words.say(part.get(whom.kind, "everyone"), custodian=self.custodian)

    def _role(self, whom: Whom) -> str:
        roles = self.words.parts["roles"]
        role = str(roles.get(whom.role, roles["physician"]))
        if whom.organization is None:
            return self.words.say("role", role=role)
        return self.words.say(
            "role_at", role=role, organization=self.organization(whom.organization)
        )

    def listed(self, names: Sequence[str]) -> str:
        """`a, b and c`."""
        first, last = list(names[:-1]), list(names[-1:])
        return self.last.join([self.comma.join(first), *last]) if first else "".join(last)

    def kinds(self, modalities: Sequence[str]) -> list[str]:
        """Kinds of images, each word once."""
        known = self.words.parts["modalities"]
        return list(dict.fromkeys(str(known.get(code, code)) for code in modalities))

    def imaging(self, modalities: Sequence[str]) -> str:
        """What is meant, in general."""
        if not modalities:
            return self.words.say("imaging")
        return self.words.say("kinds", kinds=self.listed(self.kinds(modalities)))

    def study(self, study: Seen) -> str:
        """`CT, 12 Nov 2026`."""
        when = day(study.day, self.language) or self.words.say("date_unknown")
        return " ".join([self.listed(self.kinds(study.modalities)), when]).strip()

    def period(self, first: date | None, last: date | None) -> str:
        """Of when the images are, where that is limited."""
        said = [(first, "from"), (last, "up_to")]
        lines = [self.words.say(part, day=day(at, self.language)) for at, part in said if at]
        return self.comma.join(lines)

    def purposes(self, said: Said) -> str:
        """What it is for; a refusal of nearly everything says so."""
        if said.decision == Decision.DENY and said.force != Force.ORDINARY:
            return self.words.say("deny_force")
        if said.decision == Decision.DENY and len(said.purposes) > 1:
            return self.words.say("deny_all")
        known = self.words.parts["purposes"]
        return self.listed([str(known[purpose]) for purpose in sorted(said.purposes)])
