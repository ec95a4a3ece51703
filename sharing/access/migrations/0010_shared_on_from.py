from django.db import migrations, models


def follow(apps, schema_editor):
    """What was shared on before knows its beginning too."""
    Grant = apps.get_model('access', 'Grant')
    for grant in Grant.objects.exclude(parent=None).select_related('parent'):
        root = grant.parent
        while root.parent_id:
            root = root.parent
        Grant.objects.filter(pk=grant.pk).update(rooted_at=root.starts_at)


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0009_relationships_recorded'),
    ]

    operations = [
        migrations.AddField(
            model_name='grant',
            name='rooted_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.RunPython(follow, migrations.RunPython.noop),
    ]
