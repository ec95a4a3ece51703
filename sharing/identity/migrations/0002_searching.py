from django.db import migrations, models


def order_by_code_points(apps, editor):
    """Ranges over identifiers mean code points, whatever the database's own language is."""
    if editor.connection.vendor == 'postgresql':
        editor.execute('DROP INDEX patients_by_identifier')
        editor.execute(
            'CREATE INDEX patients_by_identifier'
            ' ON identity_patient (identifier COLLATE "C", organization_id)'
        )


class Migration(migrations.Migration):

    dependencies = [
        ('identity', '0001_initial'),
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(fields=['identifier', 'organization'], name='patients_by_identifier'),
        ),
        migrations.RunPython(order_by_code_points, migrations.RunPython.noop),
    ]
