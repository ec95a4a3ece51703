from django.db import migrations, models
from django.db.models import F


def name_them(apps, schema_editor):
    """No patient of theirs could be received; their code is unique in the region."""
    organizations = apps.get_model('tenants', 'Organization').objects
    organizations.filter(patient_id_issuer='').update(patient_id_issuer=F('code'))


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.RunPython(name_them, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name='organization',
            constraint=models.CheckConstraint(condition=models.Q(('patient_id_issuer', ''), _negated=True), name='an_organization_issues_its_patient_identifiers'),
        ),
    ]
