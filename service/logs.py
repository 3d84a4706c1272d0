"""Our own processes' log lines: one a line on stderr, through structlog. Not the log of a mission."""

import logging
import sys

import structlog

from service.config import secret_values
from service.security.redaction import Redactor


def configure() -> None:
    """Send logging through structlog: readable on a terminal, JSON elsewhere; secrets blotted out."""
    terminal = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.contextvars.merge_contextvars,  # which request it was
                structlog.stdlib.ExtraAdder(("mission", "attempt")),
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                _redact,
                renderer,
            ]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)


def about(**known: object) -> None:
    """Put what is known now into this request's further lines."""
    structlog.contextvars.bind_contextvars(**known)


def _redact(
    _logger: object, _name: str, line: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    redactor = Redactor(secret_values())
    return {key: redactor.value(value) for key, value in line.items()}
