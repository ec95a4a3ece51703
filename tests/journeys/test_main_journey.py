"""The main journey: a hospital joins, sends, asks the patient, shares; and the patient withdraws.

One story in real Chromium on the real processes, told in eight steps that stand on each other.
"""

import io
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
import requests
from playwright.sync_api import Browser, expect
from pydicom.uid import generate_uid

from tests.cast import PASSWORD, PDF
from tests.journeys.hands import joined_in_minutes
from tests.journeys.people import Human, link_in, sit_down, text_of
from tests.journeys.stage import OPERATOR
from tests.live import LivePortal

NEW_PASSWORD = "river-stone-lantern-42"
INES, ADA, MEI, OLGA = (f"{name}@riverside.example" for name in ("ines", "ada", "mei", "olga"))
PATIENT = {"PatientID": "RV-204", "PatientName": "Moreau^Pat=莫^帕", "PatientBirthDate": "19580503"}


@dataclass
class Story:
    """What the steps hand on to each other."""

    portal: LivePortal
    browser: Browser
    data: Path
    people: dict[str, Human] = field(default_factory=dict)
    studies: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def human(self, email: str, password: str = PASSWORD) -> Human:
        """The person of that address, at a browser of their own."""
        if email not in self.people:
            self.people[email] = sit_down(self.browser, self.portal, email, password)
        return self.people[email]


def test_a_hospital_joins_shares_as_pat_permits_and_stops_when_pat_withdraws(
    live_portal: LivePortal, chromium: Browser, real_data: Path, tmp_path: Path
) -> None:
    live_portal.manage("shell", "-c", "from tests.journeys import stage; stage.prepare()")
    story = Story(live_portal, chromium, real_data)
    riverside_registers(story)
    riverside_invites_its_people(story)
    mei_uploads_and_the_pacs_sends(story, tmp_path)
    mei_records_what_pat_permits(story, tmp_path)
    ada_shares(story)
    joined_in_minutes(story.people.values())
    comes_in(story, OLGA, "Olga Weiss", "privacy_officer")
    ben_looks(story)
    cleo_meets_nothing(story)
    pat_withdraws(story)
    olga_reads_the_log(story)
    for human in story.people.values():
        assert not human.complaints, f"{human.email}: {human.complaints}"


def riverside_registers(story: Story) -> None:
    """1. The public page, the confirmed address, the operator's yes, the first sign-in."""
    ines = story.human(INES)
    ines.goes_to("/join/")
    page = ines.page
    for name, value in {
        "name": "Riverside General Hospital",
        "native_name": "河畔总医院",
        "facility_identifier": "DE-4711",
        "contact_name": "Ines Roth",
        "contact_email": INES,
        "privacy_officer_name": "Olga Weiss",
        "privacy_officer_email": OLGA,
        "patient_id_issuer": "1.2.826.0.1.3680043.9.7433.1",
        "uid_root": "1.2.826.0.1.3680043.9.7433",
        "ae_titles": "RV_PACS, RV_CT1",
    }.items():
        page.locator(f"[name={name}]").fill(value)
    page.locator("[name=country]").select_option("DE")
    page.locator("main form button.btn-primary").click()
    expect(page).to_have_url(re.compile("/join/sent/"))
    ines.goes_to(link_in(story.portal.wait_for_mail(INES)))
    page.locator("main form button.btn-primary").click()
    ines.reads("Riverside General Hospital")

    otto = story.human(OPERATOR)
    otto.opens(story.portal.wait_for_mail(OPERATOR))
    otto.signs_in()
    otto.goes_to("/operator/")
    otto.follows("Riverside General Hospital")
    otto.reads("DE-4711")
    otto.page.locator("button[name=decision][value=accept]").click()
    otto.reads("Accepted.")

    welcome = story.portal.wait_for_mail(INES, count=2)
    found = re.search(r"Password:\s+(\S+)", ines.opens(welcome))
    assert found, "the welcome has no password to begin with"
    ines.password = found.group(1)
    ines.signs_in()
    expect(page).to_have_url(re.compile("/accounts/password/change/"))
    ines.goes_to("/people/")
    expect(page).to_have_url(re.compile("/accounts/password/change/"))
    page.locator("[name=oldpassword]").fill(ines.password)
    page.locator("[name=password1]").fill(NEW_PASSWORD)
    page.locator("[name=password2]").fill(NEW_PASSWORD)
    ines.presses("Change password")
    ines.password = NEW_PASSWORD
    expect(page).to_have_url(re.compile("/accounts/2fa/totp/activate/"))
    ines.sets_up_second_factor()
    riverside_prepares(story, ines, otto)


def riverside_prepares(story: Story, ines: Human, otto: Human) -> None:
    """1b. The terms are signed, the connection is tested, the operator lets it begin."""
    ines.goes_to("/")
    ines.follows("Read and sign")
    ines.page.locator("[name=signed_by]").fill("Dr Guo Chen")
    ines.page.locator("[name=function]").fill("Medical director")
    ines.page.locator("main form button.btn-primary").click()
    ines.reads("Signed.")
    ines.follows("To the connection")
    ines.presses("Test the connection now")
    expect(ines.page.locator("main")).to_contain_text("Your connection works", timeout=60_000)
    otto.goes_to("/operator/riverside/")
    otto.page.locator("button[name=decision][value=activate]").click()
    otto.reads("is active")


def riverside_invites_its_people(story: Story) -> None:
    """2. Ada (radiologist) and Mei (clerk) follow their letters; Olga comes after the share."""
    comes_in(story, ADA, "Ada Brandt", "radiologist")
    comes_in(story, MEI, "Mei Tan", "clerk")


def comes_in(story: Story, email: str, name: str, role: str) -> None:
    """Ines invites somebody, who begins."""
    ines = story.human(INES)
    ines.goes_to("/people/invite/")
    ines.page.locator("[name=name]").fill(name)
    ines.page.locator("[name=email]").fill(email)
    ines.page.locator(f"[name=roles][value={role}]").check()
    ines.page.locator("main form button.btn-primary").click()
    ines.reads("on its way")
    begins(story, email)


def begins(story: Story, email: str) -> None:
    """A person follows the invitation, chooses a password, sets the second factor up."""
    human = story.human(email, NEW_PASSWORD)
    human.goes_to(link_in(story.portal.wait_for_mail(email)))
    human.page.locator("[name=password]").fill(NEW_PASSWORD)
    human.page.locator("[name=again]").fill(NEW_PASSWORD)
    human.page.locator("main form button.btn-primary").click()
    human.signs_in()
    expect(human.page).to_have_url(re.compile("/accounts/2fa/totp/activate/"))
    human.sets_up_second_factor()
    human.goes_to("/")
    human.reads("Riverside General Hospital")


def mei_uploads_and_the_pacs_sends(story: Story, folder: Path) -> None:
    """3. A study by the upload page and one by STOW-RS; both settle."""
    mei = story.human(MEI)
    files = written_for_pat(story.data / "studies" / "ct_stereotaxis_40", folder / "ct")
    broken = story.data / "broken" / "m_html.dcm"
    mei.goes_to("/upload/")
    mei.page.locator("#pick-files").set_input_files([*files, broken])
    receipt = mei.page.locator(".receipt")
    expect(receipt).to_contain_text(str(len(files)), timeout=90_000)
    expect(receipt).to_contain_text("not a DICOM file")
    expect(receipt).to_contain_text(re.compile("complete", re.I), timeout=60_000)

    token = story.portal.manage(
        "token", "--organization", "riverside", "--scope", "dicomweb.write"
    ).split()[-1]
    sent = written_for_pat(story.data / "studies" / "mr_wrist_j1", folder / "mr")
    answer = stow(story.portal.url + "/dicomweb/studies", token, sent)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["00081199"]["Value"]) == len(sent)
    mei.goes_to("/studies/")
    story.studies = studies_on(mei)
    assert len(story.studies) == 2
    for study in story.studies:
        settles(mei, study)


def studies_on(human: Human) -> list[str]:
    """The public ids of the studies that the page lists."""
    links = human.page.locator("main a").evaluate_all("all => all.map(a => a.pathname)")
    found = [
        match.group(1) for link in links if (match := re.fullmatch(r"/studies/([^/]+)/", link))
    ]
    return list(dict.fromkeys(found))


def settles(human: Human, study: str) -> None:
    """The page shows the study settling, then complete, by itself."""
    human.goes_to(f"/studies/{study}/")
    expect(human.page.locator("#series header")).to_contain_text("Complete", timeout=60_000)


def written_for_pat(source: Path, target: Path) -> list[Path]:
    """A real study's files with Pat as their patient, pixels untouched."""
    target.mkdir(parents=True)
    written = []
    for number, path in enumerate(sorted(p for p in source.rglob("*") if p.is_file())):
        file = pydicom.dcmread(path)
        file.SpecificCharacterSet = "ISO_IR 192"
        for name, value in PATIENT.items():
            setattr(file, name, value)
        written.append(target / f"image-{number:03}.dcm")
        file.save_as(written[-1])
    return written


def stow(url: str, token: str, files: list[Path]) -> requests.Response:
    """What a PACS sends: multipart/related of application/dicom (PS3.18 10.5)."""
    boundary = "pacs-" + generate_uid()
    body = io.BytesIO()
    for path in files:
        body.write(f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode())
        body.write(path.read_bytes() + b"\r\n")
    body.write(f"--{boundary}--\r\n".encode())
    kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": kind,
        "Accept": "application/dicom+json",
    }
    return requests.post(url, data=body.getvalue(), headers=headers, timeout=60)


def mei_records_what_pat_permits(story: Story, folder: Path) -> None:
    """4. Permit Hilltop, for treatment, images of this patient, for 90 days, with the scan."""
    mei = story.human(MEI)
    scan = folder / "signed.pdf"
    scan.write_bytes(PDF)
    mei.goes_to("/patients/")
    mei.follows(re.compile("MOREAU"))
    mei.follows(re.compile("Record consent"))
    page = mei.page
    page.locator("[name=decision][value=permit]").check()
    page.get_by_label(re.compile("Hilltop")).check()
    page.locator("input[type=file]").set_input_files(scan)
    page.locator("main form button.btn-primary").last.click()
    mei.reads(re.compile("Patient permits? Hilltop|permit", re.I))
    expect(page).to_have_url(re.compile(r"/consents/[^/]+/$"))


def ada_shares(story: Story) -> None:
    """5. Ada shares two studies with a note: the hospital has joined."""
    ada = story.human(ADA)
    ada.goes_to("/share/?" + "&".join(f"study={study}" for study in story.studies))
    ada.page.get_by_label(re.compile("Hilltop")).check()
    ada.page.locator("[name=note]").fill("Second opinion on the lesion, please.")
    ada.page.locator("main form button.btn-primary").last.click()
    ada.reads("Hilltop")


def ben_looks(story: Story) -> None:
    """5b. Ben is told, finds them with the ground, and looks."""
    ben = story.human("ben@hilltop.example")
    told = text_of(story.portal.wait_for_mail(ben.email))
    assert not re.search(r"moreau|莫|RV-204|stereotaxis|lesion", told, re.I), told
    ben.signs_in()
    ben.goes_to("/notices/")
    ben.reads("Riverside")
    ben.goes_to("/?tab=shared")
    ben.reads("Patient permitted Hilltop Family Clinic for treatment, until")
    assert set(studies_on(ben)) == set(story.studies)
    for study in story.studies:
        ben.goes_to(f"/studies/{study}/")
        ben.reads("Second opinion on the lesion")
        looks(ben, study)
    story.addresses = protected(ben.fetched)


def looks(human: Human, study: str) -> None:
    """The viewer shows pixels; the series scrolls, the window moves, it zooms."""
    human.goes_to(f"/viewer/{study}/")
    page = human.page
    viewer = page.locator("[data-state]").first
    expect(viewer).to_have_attribute("data-state", "live", timeout=60_000)
    assert grey_levels(human) > 20, "the viewport shows no picture"
    page.locator("body").press("Home")
    before = viewer.get_attribute("data-index")
    page.keyboard.press("ArrowDown")
    expect(viewer).not_to_have_attribute("data-index", before or "")
    window = viewer.get_attribute("data-window")
    page.keyboard.press("2")
    drag(human, 60, 40)
    expect(viewer).not_to_have_attribute("data-window", window or "")
    rail = page.locator("[data-series-uid]")
    if rail.count() > 1:
        series = viewer.get_attribute("data-series")
        rail.last.click()
        expect(viewer).not_to_have_attribute("data-series", series or "")


def drag(human: Human, right: int, down: int) -> None:
    """The window tool, by mouse, in the middle of the viewport."""
    human.page.keyboard.press("w")
    box = human.page.locator("canvas").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    human.page.mouse.move(x, y)
    human.page.mouse.down()
    human.page.mouse.move(x + right, y + down, steps=4)
    human.page.mouse.up()


def grey_levels(human: Human) -> int:
    """How many different greys the canvas shows: noise-free black shows one."""
    return int(
        human.page.evaluate(
            """() => { const c = document.querySelector('canvas');
            const t = document.createElement('canvas'); t.width = 128; t.height = 128;
            const g = t.getContext('2d'); g.drawImage(c, 0, 0, 128, 128);
            const d = g.getImageData(0, 0, 128, 128).data; const s = new Set();
            for (let i = 0; i < d.length; i += 4) s.add(d[i]); return s.size; }"""
        )
    )


def protected(addresses: list[str]) -> list[str]:
    """Those of Ben's addresses that lead to the study, each once."""
    inside = re.compile(
        r"https?://[^/]+/(studies|viewer|dicomweb|api)/.*([A-Za-z0-9_-]{22}|[0-9.]{20,})"
    )
    return list(dict.fromkeys(address for address in addresses if inside.match(address)))


def cleo_meets_nothing(story: Story) -> None:
    """6. Every address that Ben used answers Cleo as what does not exist."""
    cleo, ben = story.human("cleo@lakeside.example"), story.human("ben@hilltop.example")
    cleo.signs_in()
    kinds = {
        kind for a in story.addresses for kind in ("viewer", "dicomweb", "thumbnail") if kind in a
    }
    assert kinds == {"viewer", "dicomweb", "thumbnail"}, kinds
    rest = [f"{story.portal.url}/api/v1/studies/{study}/" for study in story.studies]
    for address in [*story.addresses, *rest]:
        nothing = re.sub(r"(?<=/)([A-Za-z0-9_-]{22}|[0-9.]{20,64})(?=/|$|\?)", elsewhere, address)
        assert nothing != address, address
        refused, absent = cleo.asks(address), cleo.asks(nothing)
        assert refused.status == absent.status == 404, f"{refused.status} {address}"
        assert body(refused) == body(absent), address
    for study, address in zip(story.studies, rest, strict=True):
        assert ben.asks(address).status == 200, study
    cleo.goes_to("/studies/")
    assert studies_on(cleo) == []


def elsewhere(match: re.Match[str]) -> str:
    """Another identifier of the same form."""
    return "2.25.1" if "." in match.group() else "A" * 22


def body(response) -> str:
    """What a refusal says, without what differs by request and by minute."""
    said = re.sub(r'(csrf[^>]*value|content)="[^"]+"', "", response.text())
    return re.sub(r"\d{4}, \d\d:\d\d\. Not for diagnosis", "", said)


def pat_withdraws(story: Story) -> None:
    """7. The open viewer blanks, the next request is refused, the lists are empty."""
    ben, mei = story.human("ben@hilltop.example"), story.human(MEI)
    mei.goes_to("/consents/")
    mei.page.locator("main a[href*='/consents/']").first.click()
    mei.follows(re.compile("Revoke"))
    mei.page.locator("[name=why]").fill("The patient called.")
    began = time.monotonic()
    mei.page.locator("main form button.btn-no").last.click()
    viewer = ben.page.locator("[data-state]").first
    expect(viewer).to_have_attribute("data-state", "blanked", timeout=5_000)
    assert time.monotonic() - began < 5
    ben.reads("has ended")
    for address in story.addresses[:40]:
        assert ben.asks(address).status == 404, address
    ben.goes_to("/?tab=shared")
    assert studies_on(ben) == []
    ben.goes_to("/studies/")
    assert studies_on(ben) == []


def olga_reads_the_log(story: Story) -> None:
    """8. Who saw what, when, for which purpose, on which ground; and every refusal."""
    olga = story.human(OLGA)
    olga.goes_to(f"/studies/{story.studies[0]}/log/")
    for words in ("Ben Hartley", "Hilltop Family Clinic", "Cleo Stern", "Ada Brandt", "C-1001"):
        olga.reads(words)
    olga.reads(re.compile("refused", re.I))
    olga.reads(re.compile("treatment", re.I))
