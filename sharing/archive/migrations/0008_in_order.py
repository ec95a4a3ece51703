

import django.db.models.deletion
from django.db import migrations, models


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
    ]
