"""Posts: where people stand at an organization; and sessions that a person can end."""

from typing import Any

import django.db.models.deletion
import sharing.kernel.tokens
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

from sharing.kernel.tokens import public_id


def give_posts(apps: Any, schema_editor: Any) -> None:
    """Who has a role has a post, confirmed today: nobody's roles lapse by the update."""
    membership, post = (apps.get_model("tenants", name) for name in ("Membership", "Post"))
    now, made = timezone.now(), {}
    held = membership.objects.filter(ended_at=None).select_related("user").order_by("since", "pk")
    for row in held.iterator():
        key = (row.organization_id, row.user_id)
        made.setdefault(
            key,
            post(
                public_id=public_id(),
                organization_id=row.organization_id,
                user_id=row.user_id,
                email=row.user.email,
                name=row.user.name,
                state="active",
                moved_at=row.since,
                confirmed_at=now,
            ),
        )
    post.objects.bulk_create(made.values(), batch_size=500)


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0005_agreements'),
    ]

    operations = [
        migrations.AddField(
            model_name='user',
            name='sessions_from',
            field=models.CharField(default=sharing.kernel.tokens.public_id, max_length=24),
        ),
        migrations.AlterField(
            model_name='membership',
            name='role',
            field=models.CharField(choices=[('administrator', 'Administrator'), ('privacy_officer', 'Privacy officer'), ('radiologist', 'Radiologist'), ('physician', 'Referring physician'), ('technologist', 'Technologist'), ('clerk', 'Clerk'), ('auditor', 'Auditor'), ('operator', 'Operator'), ('researcher', 'Researcher'), ('client', 'Client'), ('bearer', 'Bearer')], max_length=20),
        ),
        migrations.CreateModel(
            name='Post',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=sharing.kernel.tokens.public_id, max_length=24, unique=True)),
                ('email', models.EmailField(max_length=254)),
                ('name', models.CharField(blank=True, max_length=120)),
                ('state', models.CharField(max_length=12)),
                ('moved_at', models.DateTimeField()),
                ('resting', models.JSONField(default=list)),
                ('confirmed_at', models.DateTimeField()),
                ('confirmed_by', models.CharField(blank=True, max_length=120)),
                ('licence', models.CharField(blank=True, max_length=64)),
                ('licence_authority', models.CharField(blank=True, max_length=120)),
                ('licence_checked_at', models.DateTimeField(null=True)),
                ('licence_checked_by', models.CharField(blank=True, max_length=120)),
                ('external_id', models.CharField(blank=True, max_length=200)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='posts', to='tenants.organization')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='posts', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organization', 'email'), name='an_address_has_one_post_at_an_organization'), models.UniqueConstraint(fields=('organization', 'user'), name='a_person_has_one_post_at_an_organization'), models.CheckConstraint(condition=models.Q(('state__in', ['invited', 'active', 'on_leave', 'lapsed', 'deactivated', 'withdrawn'])), name='a_post_is_in_a_known_state'), models.CheckConstraint(condition=models.Q(('licence_checked_at', None), models.Q(('licence', ''), _negated=True), _connector='OR'), name='a_checked_licence_has_a_number')],
            },
        ),
        migrations.RunPython(give_posts, migrations.RunPython.noop),
    ]
