"""
The log: one line per change of state, `key=value` on a terminal, JSON elsewhere; ids only.

No e-mail, phone, address, key or body: the `webhooks` table is the place for those.
"""

import logging
import sys
from typing import Any

import structlog


def configure(level: str = "info") -> None:
    """Send our lines, and those of the libraries, to standard error."""
    terminal = sys.stderr.isatty()
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
    ]
    last = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # What these say of every job and request is either ours to say, or holds URLs with a key in them.
    for chatty in ("rq", "urllib3", "alembic", "_granian"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def info(event: str, **ids: Any) -> None:
    """Something went as it should."""
    structlog.get_logger("vrio_klaviyo").info(event, **ids)


def warning(event: str, **ids: Any) -> None:
    """Something went another way, and we go on."""
    structlog.get_logger("vrio_klaviyo").warning(event, **ids)


def error(event: str, **ids: Any) -> None:
    """Somebody must look."""
    structlog.get_logger("vrio_klaviyo").error(event, **ids)
