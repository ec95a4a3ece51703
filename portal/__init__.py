"""The Django project: settings, routes, errors, processes. The rooms are in `sharing`."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
