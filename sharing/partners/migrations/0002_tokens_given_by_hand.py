"""Tokens that were given by hand are clients with one token, and go on as they are."""

from datetime import UTC, datetime

from django.db import migrations

NEVER = datetime(9999, 12, 31, tzinfo=UTC)


def take(apps, editor):
    """Each gets a client of its own; both rooms keep the same fingerprint of a secret."""
    client, token = apps.get_model("partners", "Client"), apps.get_model("partners", "AccessToken")
    for row in apps.get_model("tenants", "PartnerToken").objects.filter(revoked_at=None):
        made = client.objects.create(
            client_id=row.public_id,
            organization_id=row.organization_id,
            name=row.name,
            authorization_grant_type="client-credentials",
            client_type="confidential",
            scopes=row.scopes,
            purpose=row.purpose,
        )
        token.objects.bulk_create(
            [
                token(
                    application=made,
                    token_checksum=row.secret_hash,
                    scope=" ".join(row.scopes),
                    expires=row.expires_at or NEVER,
                    purpose=row.purpose,
                    assured=True,
                )
            ]
        )


class Migration(migrations.Migration):

    dependencies = [
        ("partners", "0001_initial"),
        ("tenants", "0005_agreements"),
    ]
    run_before = [("tenants", "0014_tokens_are_partners")]

    operations = [migrations.RunPython(take, migrations.RunPython.noop)]
