"""An event names the app that a person let act, and reads by it are counted on their own.

The column is added by hand: Django makes SQLite's table anew for it, which would lose the triggers
that keep the log from being changed.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0008_past'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='event',
            name='one_event_per_reader_study_and_window',
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddField(
                    model_name='event',
                    name='client',
                    field=models.CharField(blank=True, db_default='', default='', max_length=40),
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE audit_event ADD COLUMN client varchar(40) DEFAULT '' NOT NULL",
                    "ALTER TABLE audit_event DROP COLUMN client",
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name='event',
            constraint=models.UniqueConstraint(condition=models.Q(('window__isnull', False)), fields=('actor_kind', 'actor_id', 'organization', 'purpose', 'action', 'custodian', 'study_uid', 'consent', 'client', 'window'), name='one_event_per_reader_study_and_window'),
        ),
    ]
