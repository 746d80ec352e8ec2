"""The PostgreSQL store's tables, as numbered migrations.

They are plain SQL: for a few tables, a migration tool would be one more dependency for every application, and a tool of
the application's own must not have our tables in its history.

Workers that start together take turns with an advisory lock. It ends with the transaction, so a worker that dies leaves
nothing locked, and it works behind pgbouncer in transaction mode, which session locks do not. DDL is transactional in
PostgreSQL, so the first migration is applied completely or not at all. When later migrations run, the tables are in
use: each index is built in a transaction of its own, so that look-ups are not blocked. Their statements may be repeated
after a crash.

``oauth1_schema`` has the number of migrations that were applied. A released migration never changes; new ones are
appended. Every name begins with ``oauth1_``, so that an application may keep its own tables in the same schema.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ENABLE_TRIGGERS",
    "LOCK",
    "MIGRATIONS",
    "MISSING_TRIGGERS",
    "REPAIR_TRIGGERS",
    "SCHEMA_VERSION",
    "parts_of",
]

#: The key of the advisory lock, "oauth1" in ASCII. Other applications must not use it.
LOCK: Final = int.from_bytes(b"oauth1", "big")

# Tuples are stored as JSON in text columns, and no column type needs a codec: the pool may be the application's, with
# its own codecs for json or uuid. Credentials refer to clients without a foreign key: the clients may be in another
# store. A nonce is 16 bytes (see `nonce_key`), and uuid is the only type of that size without a header. The second
# index finds expired nonces. Their expiry is in whole seconds, so index entries repeat, and repeated entries are stored
# once.
_FIRST = (
    """CREATE TABLE oauth1_client (
        client_id text NOT NULL PRIMARY KEY,
        client_secret text,
        overlapping_secrets text NOT NULL,
        name text NOT NULL,
        callbacks text NOT NULL,
        signature_methods text NOT NULL,
        rsa_public_key text,
        nonce_policy text NOT NULL,
        callback_query_may_differ boolean NOT NULL
    )""",
    """CREATE TABLE oauth1_temporary_credential (
        oauth_token text NOT NULL PRIMARY KEY,
        oauth_token_secret text NOT NULL,
        client_id text NOT NULL,
        oauth_callback text NOT NULL,
        user_id text,
        oauth_verifier text,
        decided boolean NOT NULL DEFAULT false,
        wrong_verifiers integer NOT NULL DEFAULT 0,
        expires_at double precision NOT NULL
    )""",
    "CREATE INDEX oauth1_temporary_credential_expiry ON oauth1_temporary_credential (expires_at)",
    "CREATE INDEX oauth1_temporary_credential_client ON oauth1_temporary_credential (client_id)",
    """CREATE TABLE oauth1_token_credential (
        oauth_token text NOT NULL PRIMARY KEY,
        oauth_token_secret text NOT NULL,
        client_id text NOT NULL,
        user_id text NOT NULL,
        scope text NOT NULL,
        created_at double precision NOT NULL
    )""",
    "CREATE INDEX oauth1_token_credential_client ON oauth1_token_credential (client_id)",
    "CREATE INDEX oauth1_token_credential_user ON oauth1_token_credential (user_id)",
    """CREATE TABLE oauth1_nonce (
        nonce uuid NOT NULL PRIMARY KEY,
        expires_at bigint NOT NULL
    )""",
    "CREATE INDEX oauth1_nonce_expiry ON oauth1_nonce (expires_at)",
    # Every row is deleted within minutes: vacuum early and in small portions, so that the space is reused.
    """ALTER TABLE oauth1_nonce SET (
        autovacuum_vacuum_scale_factor = 0.05,
        autovacuum_vacuum_threshold = 10000,
        autovacuum_vacuum_cost_delay = 1
    )""",
)

# Most token credentials never expire. The index does not contain those.
_TOKENS_EXPIRE = (
    "ALTER TABLE oauth1_token_credential ADD COLUMN IF NOT EXISTS expires_at double precision",
    """CREATE INDEX IF NOT EXISTS oauth1_token_credential_expiry ON oauth1_token_credential (expires_at)
        WHERE expires_at IS NOT NULL""",
)

# Caches are notified of each change to credentials, also if it is made with psql. New token credentials need no
# notification, since no cache can have looked them up. Many changes at once are one notification. Expired credentials
# need none: caches know when they expire.
_FUNCTIONS = {
    "oauth1_tell_of_tokens": """
    DECLARE
        names text[] := ARRAY(SELECT oauth_token FROM former
            WHERE expires_at IS NULL OR expires_at > extract(epoch FROM clock_timestamp()) LIMIT 101);
    BEGIN
        IF cardinality(names) > 100 THEN
            PERFORM pg_notify('oauth1', '*');
        ELSE
            PERFORM pg_notify('oauth1', 't' || name) FROM unnest(names) AS name;
        END IF;
        RETURN NULL;
    END """,
    "oauth1_tell_of_clients": """
    BEGIN
        IF (SELECT count(*) FROM former) > 100 THEN
            PERFORM pg_notify('oauth1', '*');
        ELSE
            PERFORM pg_notify('oauth1', 'c' || client_id) FROM former;
        END IF;
        RETURN NULL;
    END """,
    "oauth1_tell_of_all": """
    BEGIN
        PERFORM pg_notify('oauth1', '*');
        RETURN NULL;
    END """,
}

# table, suffix of the trigger's name, event, the rows that the function sees, function
_TRIGGERS = (
    ("oauth1_token_credential", "deleted", "DELETE", "OLD", "oauth1_tell_of_tokens"),
    ("oauth1_token_credential", "updated", "UPDATE", "OLD", "oauth1_tell_of_tokens"),
    ("oauth1_token_credential", "truncated", "TRUNCATE", "", "oauth1_tell_of_all"),
    ("oauth1_client", "deleted", "DELETE", "OLD", "oauth1_tell_of_clients"),
    ("oauth1_client", "updated", "UPDATE", "OLD", "oauth1_tell_of_clients"),
    ("oauth1_client", "inserted", "INSERT", "NEW", "oauth1_tell_of_clients"),
    ("oauth1_client", "truncated", "TRUNCATE", "", "oauth1_tell_of_all"),
)


def _create_function(name: str) -> str:
    return f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${_FUNCTIONS[name]}$$"


def _create_trigger(table: str, suffix: str, event: str, rows: str, function: str) -> str:
    referencing = f"REFERENCING {rows} TABLE AS former " if rows else ""
    return (
        f"CREATE TRIGGER {table}_{suffix} AFTER {event} ON {table}"
        f" {referencing}FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )


_CHANGES_ARE_TOLD = (
    *(_create_function(name) for name in _FUNCTIONS),
    *(_create_trigger(*trigger) for trigger in _TRIGGERS),
)

# ALWAYS, because a session with session_replication_role=replica skips ordinary triggers.
#: The statement that enables each trigger, by the trigger's name.
ENABLE_TRIGGERS: Final = {
    f"{trigger[0]}_{trigger[1]}": f"ALTER TABLE {trigger[0]} ENABLE ALWAYS TRIGGER {trigger[0]}_{trigger[1]}"
    for trigger in _TRIGGERS
}

#: The statements that create each trigger and its function again, by the trigger's name.
REPAIR_TRIGGERS: Final = {
    f"{trigger[0]}_{trigger[1]}": (
        _create_function(trigger[4]).replace("CREATE", "CREATE OR REPLACE", 1),
        f"DROP TRIGGER IF EXISTS {trigger[0]}_{trigger[1]} ON {trigger[0]}",
        _create_trigger(*trigger),
    )
    for trigger in _TRIGGERS
}

# The bits of pg_trigger.tgtype for a trigger that fires after a statement.
_EVENT_BITS = {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}

#: Selects the names of triggers that would not fire, and whether each exists and only needs to be enabled. A trigger
#: that is enabled without ALWAYS counts as disabled.
MISSING_TRIGGERS: Final = (
    "SELECT wanted.name, t.oid IS NOT NULL FROM (VALUES "  # noqa: S608 - of constants alone
    + ", ".join(
        f"('{table}', '{table}_{suffix}', {_EVENT_BITS[event]}, '{function}', $body${_FUNCTIONS[function]}$body$)"
        for table, suffix, event, _, function in _TRIGGERS
    )
    + ") AS wanted (relation, name, type, function, body) LEFT JOIN (pg_trigger AS t JOIN pg_proc AS p"
    " ON p.oid = t.tgfoid) ON t.tgrelid = to_regclass(quote_ident(current_schema()) || '.'"
    " || wanted.relation) AND t.tgname = wanted.name"
    " AND t.tgtype = wanted.type AND p.proname = wanted.function AND p.prosrc = wanted.body AND t.tgqual IS NULL"
    " WHERE t.tgenabled IS DISTINCT FROM 'A' ORDER BY wanted.name"
)

# Nonces with timestamps up to this one may have been removed, so they are refused.
_FORGOTTEN = (
    "CREATE TABLE oauth1_nonce_forgotten (timestamp bigint NOT NULL)",
    "INSERT INTO oauth1_nonce_forgotten VALUES (0)",
)

# A negative expiry of temporary credentials means that they have ended, see `end_where`.

# What the client asks for, and what the resource owner granted.
_SCOPES = (
    "ALTER TABLE oauth1_temporary_credential ADD COLUMN IF NOT EXISTS requested_scope text NOT NULL DEFAULT ''",
    "ALTER TABLE oauth1_temporary_credential ADD COLUMN IF NOT EXISTS scope text NOT NULL DEFAULT ''",
)

# A JSON list, as the other columns with several values. The default is for workers of the release before.
_TOLERANCES = ("ALTER TABLE oauth1_client ADD COLUMN tolerances text NOT NULL DEFAULT '[]'",)

# When each token was last used; without a token, when the client made a request. Only the column without an index
# changes, so the new version of a row can take a free place on its page.
_LAST_USES = (
    """CREATE TABLE IF NOT EXISTS oauth1_last_use (
        client_id text NOT NULL,
        oauth_token text NOT NULL,
        used_at double precision NOT NULL,
        PRIMARY KEY (client_id, oauth_token)
    ) WITH (fillfactor = 80)""",
)

# Token credentials that were exchanged for a bearer token; they may be in another store.
_EXCHANGED = (
    """CREATE TABLE IF NOT EXISTS oauth1_exchanged_token (
        client_id text NOT NULL,
        oauth_token text NOT NULL,
        exchanged_at double precision NOT NULL,
        PRIMARY KEY (client_id, oauth_token)
    )""",
)

# Whether a client's requests are refused. The default is for workers of the release before.
_DISABLED = ("ALTER TABLE oauth1_client ADD COLUMN IF NOT EXISTS disabled boolean NOT NULL DEFAULT false",)

# The audit trail. Rows are added and never changed. A token that has expired is recorded once, so its row says whether
# it was; the index has those that were not yet. The row of a use tells from its columns whether it is the first one.
_AUDIT = (
    """CREATE TABLE IF NOT EXISTS oauth1_audit (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at double precision NOT NULL,
        event text NOT NULL,
        client_id text NOT NULL,
        oauth_token text,
        user_id text,
        actor text NOT NULL,
        actor_name text NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS oauth1_audit_client ON oauth1_audit (client_id, id)",
    "CREATE INDEX IF NOT EXISTS oauth1_audit_at ON oauth1_audit (at)",
    """CREATE OR REPLACE FUNCTION oauth1_audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RAISE EXCEPTION 'oauth1_audit is append-only'; END$$""",
    "DROP TRIGGER IF EXISTS oauth1_audit_append_only ON oauth1_audit",
    """CREATE TRIGGER oauth1_audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON oauth1_audit
        FOR EACH STATEMENT EXECUTE FUNCTION oauth1_audit_only_grows()""",
    "ALTER TABLE oauth1_token_credential ADD COLUMN IF NOT EXISTS expiry_recorded boolean NOT NULL DEFAULT false",
    """CREATE INDEX IF NOT EXISTS oauth1_token_credential_unrecorded ON oauth1_token_credential (expires_at)
        WHERE expires_at IS NOT NULL AND NOT expiry_recorded""",
    "ALTER TABLE oauth1_last_use ADD COLUMN IF NOT EXISTS first_used_at double precision",
    "ALTER TABLE oauth1_last_use ADD COLUMN IF NOT EXISTS user_agent text NOT NULL DEFAULT ''",
)

#: Each migration is a list of statements; `parts_of` says which of them are one transaction.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    _FIRST,
    _TOKENS_EXPIRE,
    _CHANGES_ARE_TOLD,
    _FORGOTTEN,
    _SCOPES,
    _TOLERANCES,
    _LAST_USES,
    _EXCHANGED,
    _DISABLED,
    _AUDIT,
)

#: The version that this release reads and writes.
SCHEMA_VERSION: Final = len(MIGRATIONS)


def parts_of(number: int) -> list[tuple[str, ...]]:
    """The transactions of a migration, each a list of statements.

    The first migration is one transaction, since its tables are not in use yet. In later ones each index has its own,
    so that look-ups do not wait behind ``ALTER TABLE`` until the index of a large table is built.

    Args:
        number: the number of the migration, from 0.
    """
    statements = MIGRATIONS[number]
    if number == 0:
        return [statements]
    indexes = [(statement,) for statement in statements if statement.startswith("CREATE INDEX")]
    others = tuple(statement for statement in statements if not statement.startswith("CREATE INDEX"))
    return [others, *indexes] if others else [*indexes]
