"""A formatter that writes log records as JSON, with the fields that `docs/monitoring.md` lists."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

__all__ = ["JSONFormatter"]

# What every record has. Any other attribute came by `extra=`.
_USUAL = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


class JSONFormatter(logging.Formatter):
    """Formats each record as one line of JSON, in ASCII.

        handler = logging.StreamHandler()
        handler.setFormatter(JSONFormatter())

    An object has ``timestamp`` (RFC 3339, UTC), ``level``, ``logger`` and ``message``, then the fields of the record,
    and ``exception`` if there is one. Values that JSON does not have become text.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        fields: dict[str, object] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= {name: value for name, value in vars(record).items() if name not in (*_USUAL, *fields)}
        exception = self._exception(record)
        if exception:
            fields["exception"] = exception
        return json.dumps(fields, default=str)

    def _exception(self, record: logging.LogRecord) -> str:
        parts = [record.exc_text or (self.formatException(record.exc_info) if record.exc_info else "")]
        parts.append(self.formatStack(record.stack_info) if record.stack_info else "")
        return "\n".join(part for part in parts if part)
