"""Logging: JSON lines in production, one plain line in embedded mode. Ids only, no patient data."""

import logging.config
from typing import Any

import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


class NamedByRoute(logging.Filter):
    """A request that failed is named by its route: its address names studies and patients."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Django's own lines are `reason: path`, with the request beside them."""
        request = getattr(record, "request", None)
        if request is not None and isinstance(record.args, tuple) and len(record.args) == 2:
            match = getattr(request, "resolver_match", None)
            route = match.route if match else request.path.lstrip("/").partition("/")[0]
            record.args = (record.args[0], f"/{route}")
        return True


def logging_config(*, production: bool, level: str) -> None:
    """Sends structlog and the standard library through one handler on standard error."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if production
        else structlog.dev.ConsoleRenderer(
            colors=False,
            pad_event_to=0,
            # The default prints the local variables of each frame, patients' names among them.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    final: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if production:
        final.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"by_route": {"()": NamedByRoute}},
            "formatters": {
                "line": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": _SHARED,
                    "processors": [*final, renderer],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                # One line a request is the front server's work; 4xx are no warnings of ours.
                "django.request": {"level": "ERROR", "filters": ["by_route"]},
                "botocore": {"level": "WARNING"},
                # Whether a hospital's system answers is a result of its test, and no error of ours.
                "pynetdicom": {"level": "CRITICAL"},
            },
        }
    )
