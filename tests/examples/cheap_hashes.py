"""The example provider with password hashes that cost little, in each of its processes.

Most tests sign in, and a real hash takes 64 MiB and longer than all the rest of a sign-in. ``python -m`` runs this
module instead of ``examples.photos``; a worker process imports it again.
"""

from __future__ import annotations

import runpy

from argon2 import PasswordHasher

from examples.photos import passwords

passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

if __name__ == "__main__":
    runpy.run_module("examples.photos", run_name="__main__")
