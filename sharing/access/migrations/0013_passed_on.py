import django.db.models.deletion
from django.db import migrations, models


def follow(apps, schema_editor):
    """What was shared on before says through whom it came: as its parent, and through the sharer."""
    Grant, PassedOn = (apps.get_model("access", name) for name in ("Grant", "PassedOn"))
    rows = Grant.objects.exclude(parent=None).select_related("share")
    for grant in rows.order_by("pk"):  # a parent is older than what comes out of it
        before = PassedOn.objects.filter(grant=grant.parent_id).values_list("organization", flat=True)
        for key in sorted({*before, grant.share.shared_for_id}):
            PassedOn.objects.create(grant=grant, organization_id=key)


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0012_shared_in_albums'),
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
    ]
