"""Tokens of machines have moved to the partners room, which took them along before this."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0013_listings'),
    ]

    operations = [
        migrations.DeleteModel(
            name='PartnerToken',
        ),
    ]
