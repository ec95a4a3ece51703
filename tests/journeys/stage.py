"""Who is there before the story begins; run inside the live portal by `manage.py shell`."""

from django.utils import timezone

from sharing.tenants.models import Organization
from sharing.tenants.rules import Role
from sharing.tenants.services import found_operator
from tests.cast import PASSWORD, make_organization, make_patient, make_person, make_study

OPERATOR = "otto@region.example"


def prepare() -> None:
    """The operator of the region, Hilltop with Ben, Lakeside with Cleo. Riverside is not yet."""
    found_operator(
        name="Imaging Exchange",
        email=OPERATOR,
        person="Otto Lang",
        password=PASSWORD,
        at=timezone.now(),
    )
    # Riverside's people use their second factor in the story; the others may go without.
    Organization.objects.update(requires_second_factor=False)
    hilltop = make_organization("hilltop", "Hilltop Family Clinic", kind="clinic", mark="HT")
    lakeside = make_organization("lakeside", "Lakeside Imaging Centre", kind="imaging_centre")
    make_person("Ben Hartley", hilltop, Role.PHYSICIAN)
    make_person("Cleo Stern", lakeside, Role.PHYSICIAN)


def prepare_desk() -> None:
    """A hospital of its own for Pat with a phone: Nora at the desk, one study, a clinic."""
    seaside = make_organization("seaside", "Seaside Hospital", native_name="海滨医院")
    make_organization("meadow", "Meadow Clinic", kind="clinic", native_name="草地诊所")
    make_person("Nora Kuhn", seaside, Role.CLERK)
    patient = make_patient(seaside, "SE-77")
    make_study(patient)
    print(patient.public_id)
