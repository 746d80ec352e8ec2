"""The native reader: usual requests are read in C, if the extension was compiled when this package was installed.

Everything works the same without it, only slower. `IN_USE` says whether it is used, and ``python -m
async_oauth1.native`` why not. The environment variable ``ASYNC_OAUTH1_NATIVE=0`` turns it off.

Both functions read a request, or return ``None``: then the modules of `async_oauth1.protocol` read it. They alone know
errors and tolerances.
"""

from .loading import IN_USE, INTERFACE, STATE, ReadParts, ReadScope, read, read_scope

__all__ = ["INTERFACE", "IN_USE", "STATE", "ReadParts", "ReadScope", "read", "read_scope"]
