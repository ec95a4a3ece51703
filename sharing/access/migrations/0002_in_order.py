

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0001_initial'),
        ('identity', '0002_searching'),
        ('tenants', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='grant',
            name='grants_of_a_study',
        ),
        migrations.AddIndex(
            model_name='grant',
            index=models.Index(fields=['custodian', 'study_uid', 'organization'], name='grants_of_a_study'),
        ),
    ]
