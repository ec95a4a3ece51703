import django.db.models.deletion
from django.db import migrations, models


def follow(apps, schema_editor):
    """A row for each through whom a grant came, in the place of one text."""
    found = apps.get_model("tenants", "Organization").objects.values_list("code", "pk")
    keys = dict(found)
    PassedOn = apps.get_model("access", "PassedOn")
    for grant in apps.get_model("access", "Grant").objects.exclude(through=""):
        for code in sorted(set(filter(None, grant.through.split("|")))):
            PassedOn.objects.create(grant=grant, organization_id=keys[code])


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0013_shared_on_through'),
        ('tenants', '0015_people_read_a_language'),
    ]

    operations = [
        migrations.CreateModel(
            name='PassedOn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='passed_on', to='access.grant')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.organization')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('grant', 'organization'), name='a_grant_comes_through_each_once')],
            },
        ),
        migrations.RunPython(follow, migrations.RunPython.noop),
        migrations.RemoveConstraint(
            model_name='grant',
            name='a_grant_shared_on_says_through_whom',
        ),
        migrations.RemoveField(
            model_name='grant',
            name='through',
        ),
    ]
