import json
import zlib

import django.db.models.deletion
from django.db import migrations, models


def sum_up_what_is_there(apps, editor):
    """Instances that came before the column did."""
    from sharing.archive.summaries import summary

    instances = apps.get_model('archive', 'Instance').objects
    keys = list(instances.filter(summary='').order_by('pk').values_list('pk', flat=True))
    for start in range(0, len(keys), 200):
        page = instances.select_related('series__study').filter(pk__in=keys[start : start + 200])
        for one in page:
            made = json.loads(zlib.decompress(one.metadata))
            bits = made.get('00280100', {}).get('Value', [None])[0]
            one.summary = summary(
                study_uid=one.series.study.study_uid, series_uid=one.series.series_uid,
                sop_uid=one.sop_uid, sop_class_uid=one.sop_class_uid,
                transfer_syntax=one.transfer_syntax, number=one.number, rows=one.rows,
                columns=one.columns, frames=one.frames, bits_allocated=bits,
                timezone=made.get('00080201', {}).get('Value', [''])[0] or '',
            )
            one.save(update_fields=['summary'])


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0005_renditions'),
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='instance',
            name='series',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='instances', to='archive.series'),
        ),
        migrations.AddIndex(
            model_name='instance',
            index=models.Index(fields=['series', 'number'], name='instances_in_order'),
        ),
        migrations.RunPython(sum_up_what_is_there, migrations.RunPython.noop),
    ]
