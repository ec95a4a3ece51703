"""The Celery application. Tasks are doorbells: JSON, ids only, acknowledged when done."""

import os
import warnings

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
# Said once in docs/deploy.md instead of eight lines at each start of a demo in a container.
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
