"""Explain refusals in a running provider: after the answer, in small slices, and a limited number of them.

A server calls its observer with each refusal. The observer notes it in a bounded queue and returns at once; a task of
the event loop, or a thread in WSGI applications, explains what is in the queue.
"""

from __future__ import annotations

from .loop import LoopObserver, observe_on_loop
from .thread import ThreadObserver, observe_in_thread

__all__ = ["LoopObserver", "ThreadObserver", "observe_in_thread", "observe_on_loop"]
