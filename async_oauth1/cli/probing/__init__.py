"""The commands that try a running provider from outside."""

from .conformance import conformance_command
from .doctor import doctor_command

__all__ = ["conformance_command", "doctor_command"]
