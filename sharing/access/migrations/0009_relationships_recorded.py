from django.db import migrations, models

import sharing.kernel.tokens


def name_them(apps, schema_editor):
    for row in apps.get_model("access", "Relationship").objects.filter(public_id=None):
        row.public_id = sharing.kernel.tokens.public_id()
        row.save(update_fields=["public_id"])


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0008_renewals_and_uses'),
    ]

    operations = [
        migrations.AddField('relationship', 'public_id', models.CharField(max_length=24, null=True)),
        migrations.AddField(
            'relationship', 'recorded_at', models.DateTimeField(null=True)
        ),
        migrations.AddField(
            'relationship', 'reason', models.CharField(blank=True, default='', max_length=300),
            preserve_default=False,
        ),
        migrations.AddField('relationship', 'ended_at', models.DateTimeField(null=True)),
        migrations.AddField(
            'relationship', 'ended_by', models.CharField(blank=True, default='', max_length=200),
            preserve_default=False,
        ),
        migrations.AddField(
            'relationship', 'ended_why', models.CharField(blank=True, default='', max_length=300),
            preserve_default=False,
        ),
        migrations.RunPython(name_them, migrations.RunPython.noop),
        migrations.AlterField(
            'relationship', 'public_id',
            models.CharField(default=sharing.kernel.tokens.public_id, max_length=24, unique=True),
        ),
    ]
