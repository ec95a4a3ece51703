"""The shapes of this face's JSON, for the answers and for the OpenAPI document."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sharing.archive.rules import WHY_DELETE


class FilterForm(serializers.Serializer[Any]):
    """What a list of studies may be narrowed by."""

    q = serializers.CharField(required=False, max_length=200)
    modality = serializers.CharField(required=False, max_length=16)
    custodian = serializers.CharField(required=False, max_length=40)
    patient = serializers.CharField(required=False, max_length=24)
    shared = serializers.BooleanField(required=False)
    own = serializers.BooleanField(required=False)


class SpeakerForm(serializers.Serializer[Any]):
    """The client that a token was given to."""

    id = serializers.CharField()
    name = serializers.CharField()


class MeForm(serializers.Serializer[Any]):
    """An actor."""

    kind = serializers.CharField()
    id = serializers.CharField()
    name = serializers.CharField()
    organization = serializers.CharField(source="organization_code")
    organization_name = serializers.CharField()
    purpose = serializers.CharField()
    roles = serializers.SerializerMethodField()
    scopes = serializers.SerializerMethodField()
    client = serializers.SerializerMethodField()

    @extend_schema_field(SpeakerForm(allow_null=True))
    def get_client(self, actor: Any) -> dict[str, str] | None:
        """The app that a person lets act; null where nobody else speaks."""
        return {"id": actor.client, "name": actor.app} if actor.app else None

    def get_roles(self, actor: Any) -> list[str]:
        """In a fixed order."""
        return sorted(actor.roles)

    def get_scopes(self, actor: Any) -> list[str]:
        """In a fixed order; empty for people."""
        return sorted(actor.scopes)


class OrganizationForm(serializers.Serializer[Any]):
    """A custodian."""

    code = serializers.CharField()
    name = serializers.CharField()


class PatientForm(serializers.Serializer[Any]):
    """A patient as the custodian knows them; an identity that is not certain has no identifier."""

    id = serializers.CharField()
    identifier = serializers.CharField()
    issuer = serializers.CharField()
    name = serializers.CharField()
    birth_date = serializers.DateField(allow_null=True)
    sex = serializers.CharField()


def patient_told(row: Any) -> dict[str, Any]:
    """A patient as `PatientForm` has it. An identifier without its issuer names nobody."""
    return {
        "id": row.public_id,
        "identifier": row.identifier if row.certain else "",
        "issuer": row.issuer if row.certain else "",
        "name": row.name,
        "birth_date": row.birth_date,
        "sex": row.sex,
    }


class GroundForm(serializers.Serializer[Any]):
    """Why the caller may see the study."""

    rule = serializers.CharField()
    reason = serializers.CharField()
    consent = serializers.CharField()
    until = serializers.DateTimeField(allow_null=True)


class LinksForm(serializers.Serializer[Any]):
    """Where to go on."""

    self = serializers.URLField()
    dicomweb = serializers.URLField()


class StudyForm(serializers.Serializer[Any]):
    """A study."""

    id = serializers.CharField()
    study_uid = serializers.CharField()
    custodian = OrganizationForm()
    own = serializers.BooleanField()
    patient = PatientForm()
    study_date = serializers.DateField(allow_null=True)
    description = serializers.CharField()
    accession_number = serializers.CharField()
    modalities = serializers.ListField(child=serializers.CharField())
    series_count = serializers.IntegerField()
    instance_count = serializers.IntegerField()
    state = serializers.CharField()
    warnings = serializers.ListField(child=serializers.CharField())
    ground = GroundForm()
    links = LinksForm()


class SeriesForm(serializers.Serializer[Any]):
    """A series."""

    series_uid = serializers.CharField()
    modality = serializers.CharField()
    number = serializers.IntegerField(allow_null=True)
    description = serializers.CharField()
    body_part = serializers.CharField()
    laterality = serializers.CharField()
    instance_count = serializers.IntegerField()
    frame_count = serializers.IntegerField()


class StudyDetailForm(StudyForm):
    """A study with its series."""

    series = SeriesForm(many=True)


class RemovalForm(serializers.Serializer[Any]):
    """Why a study is deleted; the journal and the access log keep it."""

    reason = serializers.ChoiceField(choices=[(why.value, why.words) for why in WHY_DELETE])
    words = serializers.CharField(required=False, default="", allow_blank=True, max_length=300)
