"""What was recorded before versions were compared began when it said so."""

from django.db import migrations
from django.db.models import F


def begin(apps, schema_editor):
    apps.get_model("consent", "Consent").objects.update(since=F("starts_at"))


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0003_whole_consents'),
    ]

    operations = [
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
