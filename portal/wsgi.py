"""The WSGI entry: `granian --interface wsgi portal.wsgi:application`."""

import os

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()


def refuse_when_unsafe() -> None:
    """A server that is started without manage.py meets the same start-up checks."""
    from portal.checks import production_is_safe

    if mistakes := production_is_safe():
        raise ImproperlyConfigured(" ".join(mistake.msg for mistake in mistakes))


refuse_when_unsafe()
