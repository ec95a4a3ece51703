"""Run in the folder of a rig: migrates, founds one hospital, prints what the rig must know (JSON).

`{"write": token, "read": token, "commands": {name: [...]}, "broker": {"config":, "url":}}`
"""

import json
import sys
from datetime import timedelta

import django

from sharing.kernel import scope


def prepare(port: int, web_workers: int) -> dict[str, object]:
    """The tables, Riverside, a token, and the very commands that `manage.py serve` runs."""
    from django.conf import settings
    from django.core.management import call_command
    from django.utils import timezone

    from portal.broker import own_broker
    from portal.management.commands import serve
    from sharing.partners.services import issue_token
    from sharing.tenants.models import Organization

    call_command("migrate", interactive=False, verbosity=0)
    organization, _ = Organization.objects.get_or_create(
        code="riverside",
        defaults={
            "name": "Riverside General Hospital",
            "state": "active",
            "patient_id_issuer": "1.2.826.1",
        },
    )
    token = issue_token(
        organization=organization, name="sender", scopes=["dicomweb.write", "dicomweb.read"],
        at=timezone.now(), expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    broker = own_broker(settings.DATA_DIR)
    options = {
        "host": "127.0.0.1", "port": port, "web_workers": web_workers, "task_workers": 1,
    }  # fmt: skip
    return {
        "token": token,
        "commands": {c.name: list(c.command) for c in serve.children(options, broker)},
        "broker": {"config": broker.config, "url": broker.url},
    }


if __name__ == "__main__":
    django.setup()
    with scope.as_house():
        print(json.dumps(prepare(int(sys.argv[1]), int(sys.argv[2]))))
