"""The PostgreSQL store's tables, as numbered migrations.

Plain SQL rather than a migration tool: five tables do not warrant a second ORM in every application that uses the
package, and an application that has a tool of its own must not find our tables in its history. The advisory lock makes
the workers that start together take turns; it ends with the transaction, so a worker that dies leaves nothing locked,
and it works behind pgbouncer in transaction mode, where locks of the session do not. DDL is transactional in
PostgreSQL: a migration happens whole or not at all.

``oauth1_schema`` says how many migrations a database has seen. One that was released never changes; what comes later
is appended. Every name begins with ``oauth1_``, so that an application may keep its own tables in the same schema.
"""

from __future__ import annotations

from typing import Final

__all__ = ["LOCK", "MIGRATIONS", "SCHEMA_VERSION"]

#: Any number, as long as nobody else locks it: "oauth1" in ASCII.
LOCK: Final = int.from_bytes(b"oauth1", "big")

# Columns of text hold tuples as JSON, and no type that needs a codec appears anywhere: the pool may be the
# application's, with codecs of its own for json or uuid.
# Credentials refer to clients without a foreign key: the clients may be kept elsewhere.
# A nonce is 16 bytes: uuid is the one type of that size without a header (see postgres.py for what is in them). The
# second index finds expired ones; whole seconds make its entries repeat, and repeated entries are stored once.
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
    # Every row is deleted within minutes: vacuum early, in small portions, so that the space is used again.
    """ALTER TABLE oauth1_nonce SET (
        autovacuum_vacuum_scale_factor = 0.05,
        autovacuum_vacuum_threshold = 10000,
        autovacuum_vacuum_cost_delay = 1
    )""",
)

# Most token credentials never expire, and the index holds none of those.
_TOKENS_EXPIRE = (
    "ALTER TABLE oauth1_token_credential ADD COLUMN expires_at double precision",
    "CREATE INDEX oauth1_token_credential_expiry ON oauth1_token_credential (expires_at) WHERE expires_at IS NOT NULL",
)

# Whoever changes credentials, also with psql, tells those who keep them in memory. Token credentials that are new need
# no word: nobody has asked for them. Many at once are one word. Those that expired are known to be gone.
_CHANGES_ARE_TOLD = (
    """CREATE FUNCTION oauth1_tell_of_tokens() RETURNS trigger LANGUAGE plpgsql AS $$
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
    END $$""",
    """CREATE FUNCTION oauth1_tell_of_clients() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (SELECT count(*) FROM former) > 100 THEN
            PERFORM pg_notify('oauth1', '*');
        ELSE
            PERFORM pg_notify('oauth1', 'c' || client_id) FROM former;
        END IF;
        RETURN NULL;
    END $$""",
    """CREATE FUNCTION oauth1_tell_of_all() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_notify('oauth1', '*');
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER oauth1_token_credential_deleted AFTER DELETE ON oauth1_token_credential
        REFERENCING OLD TABLE AS former FOR EACH STATEMENT EXECUTE FUNCTION oauth1_tell_of_tokens()""",
    """CREATE TRIGGER oauth1_token_credential_updated AFTER UPDATE ON oauth1_token_credential
        REFERENCING OLD TABLE AS former FOR EACH STATEMENT EXECUTE FUNCTION oauth1_tell_of_tokens()""",
    """CREATE TRIGGER oauth1_token_credential_truncated AFTER TRUNCATE ON oauth1_token_credential
        FOR EACH STATEMENT EXECUTE FUNCTION oauth1_tell_of_all()""",
    """CREATE TRIGGER oauth1_client_deleted AFTER DELETE ON oauth1_client
        REFERENCING OLD TABLE AS former FOR EACH STATEMENT EXECUTE FUNCTION oauth1_tell_of_clients()""",
    """CREATE TRIGGER oauth1_client_updated AFTER UPDATE ON oauth1_client
        REFERENCING OLD TABLE AS former FOR EACH STATEMENT EXECUTE FUNCTION oauth1_tell_of_clients()""",
    """CREATE TRIGGER oauth1_client_inserted AFTER INSERT ON oauth1_client
        REFERENCING NEW TABLE AS former FOR EACH STATEMENT EXECUTE FUNCTION oauth1_tell_of_clients()""",
    """CREATE TRIGGER oauth1_client_truncated AFTER TRUNCATE ON oauth1_client
        FOR EACH STATEMENT EXECUTE FUNCTION oauth1_tell_of_all()""",
)

# Nonces with timestamps up to this one may have been removed, so they are refused.
_FORGOTTEN = (
    "CREATE TABLE oauth1_nonce_forgotten (timestamp bigint NOT NULL)",
    "INSERT INTO oauth1_nonce_forgotten VALUES (0)",
)

#: Each migration is a list of statements; together they are one transaction.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (_FIRST, _TOKENS_EXPIRE, _CHANGES_ARE_TOLD, _FORGOTTEN)

#: What this release reads and writes.
SCHEMA_VERSION: Final = len(MIGRATIONS)
