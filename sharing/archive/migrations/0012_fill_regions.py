"""Studies that came before anybody asked which part of the body they show are filled in by a job."""

from django.db import migrations
from django.utils import timezone


def promise(apps, schema_editor):
    if apps.get_model("archive", "Study").objects.exists():
        now = timezone.now()
        apps.get_model("outbox", "Job").objects.create(
            task="archive.fill_regions", ids={"after": 0}, promised_at=now, due_at=now
        )


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0011_labels_stay'),
        ('outbox', '0001_initial'),
    ]

    operations = [
        migrations.RunPython(promise, migrations.RunPython.noop),
    ]
