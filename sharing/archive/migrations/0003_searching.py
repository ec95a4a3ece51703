import django.db.models.deletion
from django.db import migrations, models


def order_by_code_points(apps, editor):
    """Ranges over keys mean code points; a database's own language must not reorder them."""
    if editor.connection.vendor == 'postgresql':
        editor.execute('ALTER TABLE archive_namekey ALTER COLUMN key TYPE varchar(400) COLLATE "C"')
        editor.execute('DROP INDEX studies_by_accession')
        editor.execute(
            'CREATE INDEX studies_by_accession ON archive_study (accession_number COLLATE "C")'
        )


def list_what_is_there(apps, editor):
    """Studies that came before this table did."""
    from sharing.archive.indexing import index_series, index_studies

    studies = apps.get_model('archive', 'Study').objects.select_related('patient', 'organization')
    pages = studies.order_by('pk').iterator(chunk_size=500)
    page = []
    for study in pages:
        page.append(study)
        if len(page) == 500:
            index_studies(page)
            page = []
    index_studies(page)
    first = models.Min('instances__pk')
    series = apps.get_model('archive', 'Series').objects.annotate(first=first)
    instances = apps.get_model('archive', 'Instance').objects
    for pk, first in series.order_by('pk').values_list('pk', 'first').iterator(chunk_size=500):
        if first is not None:
            index_series([(pk, instances.values_list('metadata', flat=True).get(pk=first))])


class Migration(migrations.Migration):

    dependencies = [
        ('archive', '0002_ready_made'),
        ('identity', '0002_searching'),
        ('tenants', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Listed',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('study', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='listed', to='archive.study')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='tenants.organization')),
                ('modality', models.CharField(blank=True, max_length=16)),
                ('day', models.PositiveIntegerField()),
                ('referrer', models.CharField(blank=True, max_length=400)),
                ('summary', models.TextField(blank=True)),
            ],
            options={
                'indexes': [models.Index(fields=['organization', 'modality', 'day', 'study'], name='listed_by_day')],
                'constraints': [models.UniqueConstraint(fields=('study', 'modality'), name='a_study_is_listed_once_by_a_modality')],
            },
        ),
        migrations.CreateModel(
            name='NameKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('patient', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='name_keys', to='identity.patient')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='tenants.organization')),
                ('key', models.CharField(max_length=400)),
            ],
            options={
                'indexes': [models.Index(fields=['organization', 'key', 'patient'], name='names_by_key')],
                'constraints': [models.UniqueConstraint(fields=('patient', 'key'), name='a_name_is_entered_once_at_a_word')],
            },
        ),
        migrations.CreateModel(
            name='Requested',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('series', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='requests', to='archive.series')),
                ('step', models.CharField(blank=True, max_length=64)),
                ('procedure', models.CharField(blank=True, max_length=64)),
            ],
            options={
                'indexes': [models.Index(fields=['step'], name='requests_by_step'), models.Index(fields=['procedure'], name='requests_by_procedure')],
            },
        ),
        migrations.AddField(
            model_name='series',
            name='attributes',
            field=models.TextField(db_default=''),
        ),
        migrations.AddField(
            model_name='series',
            name='performed_day',
            field=models.PositiveIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name='series',
            name='performed_time',
            field=models.CharField(db_default='', max_length=16),
        ),
        migrations.AddIndex(
            model_name='series',
            index=models.Index(fields=['series_uid'], name='series_by_uid'),
        ),
        migrations.AddIndex(
            model_name='study',
            index=models.Index(fields=['accession_number'], name='studies_by_accession'),
        ),
        migrations.RunPython(order_by_code_points, migrations.RunPython.noop),
        migrations.RunPython(list_what_is_there, migrations.RunPython.noop),
    ]
