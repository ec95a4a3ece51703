"""The Celery application. Tasks are doorbells: JSON, ids only, acknowledged when done."""

import os
import warnings
from typing import Any

from celery import Celery, Task

from sharing.kernel import scope

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
# Said once in docs/deploy.md instead of eight lines at each start of a demo in a container.
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")


class OfTheHouse(Task):
    """Tasks are the portal's own: what they may do was decided when they were promised."""

    abstract = True

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Runs it within the house's scope."""
        with scope.as_house():
            return super().__call__(*args, **named)


app = Celery("portal", task_cls=OfTheHouse)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
