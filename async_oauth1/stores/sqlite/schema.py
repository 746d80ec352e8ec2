"""The SQLite store's tables, as numbered migrations.

``PRAGMA user_version`` is the number of migrations that were applied to a file. A released migration never changes;
new ones are appended. Every table's name begins with ``oauth1_``, so that an application may keep its own tables in the
same file.
"""

from __future__ import annotations

from typing import Final

__all__ = ["MIGRATIONS", "SCHEMA_VERSION"]

# Each nonce is one text that begins with the timestamp, so new ones are inserted at the end of the tree. Expired ones
# are removed all the time, so their expiry has an index.
# Credentials refer to clients without a foreign key: the clients may be in another store.
_FIRST = (
    """CREATE TABLE oauth1_client (
        client_id TEXT NOT NULL PRIMARY KEY,
        client_secret TEXT,
        overlapping_secrets TEXT NOT NULL,
        name TEXT NOT NULL,
        callbacks TEXT NOT NULL,
        signature_methods TEXT NOT NULL,
        rsa_public_key TEXT,
        nonce_policy TEXT NOT NULL,
        callback_query_may_differ INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE oauth1_temporary_credential (
        oauth_token TEXT NOT NULL PRIMARY KEY,
        oauth_token_secret TEXT NOT NULL,
        client_id TEXT NOT NULL,
        oauth_callback TEXT NOT NULL,
        user_id TEXT,
        oauth_verifier TEXT,
        decided INTEGER NOT NULL DEFAULT 0,
        wrong_verifiers INTEGER NOT NULL DEFAULT 0,
        expires_at REAL NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX oauth1_temporary_credential_expiry ON oauth1_temporary_credential (expires_at)",
    "CREATE INDEX oauth1_temporary_credential_client ON oauth1_temporary_credential (client_id)",
    """CREATE TABLE oauth1_token_credential (
        oauth_token TEXT NOT NULL PRIMARY KEY,
        oauth_token_secret TEXT NOT NULL,
        client_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        scope TEXT NOT NULL,
        created_at REAL NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX oauth1_token_credential_client ON oauth1_token_credential (client_id)",
    "CREATE INDEX oauth1_token_credential_user ON oauth1_token_credential (user_id)",
    """CREATE TABLE oauth1_nonce (
        nonce TEXT NOT NULL PRIMARY KEY,
        expires_at REAL NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX oauth1_nonce_expiry ON oauth1_nonce (expires_at)",
)

# Most token credentials never expire. The index does not contain those.
_TOKENS_EXPIRE = (
    "ALTER TABLE oauth1_token_credential ADD COLUMN expires_at REAL",
    "CREATE INDEX oauth1_token_credential_expiry ON oauth1_token_credential (expires_at) WHERE expires_at IS NOT NULL",
)

# Nonces with timestamps up to this one may have been removed, so they are refused.
_FORGOTTEN = (
    "CREATE TABLE oauth1_nonce_forgotten (timestamp INTEGER NOT NULL)",
    "INSERT INTO oauth1_nonce_forgotten VALUES (0)",
)

# What the client asks for, and what the resource owner granted.
_SCOPES = (
    "ALTER TABLE oauth1_temporary_credential ADD COLUMN requested_scope TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE oauth1_temporary_credential ADD COLUMN scope TEXT NOT NULL DEFAULT ''",
)

# A JSON list, as the other columns with several values. The default is for workers of the release before.
_TOLERANCES = ("ALTER TABLE oauth1_client ADD COLUMN tolerances TEXT NOT NULL DEFAULT '[]'",)

# When each token was last used; without a token, when the client made a request.
_LAST_USES = (
    """CREATE TABLE oauth1_last_use (
        client_id TEXT NOT NULL,
        oauth_token TEXT NOT NULL,
        used_at REAL NOT NULL,
        PRIMARY KEY (client_id, oauth_token)
    ) WITHOUT ROWID""",
)

# Token credentials that were exchanged for a bearer token; they may be in another store.
_EXCHANGED = (
    """CREATE TABLE oauth1_exchanged_token (
        client_id TEXT NOT NULL,
        oauth_token TEXT NOT NULL,
        exchanged_at REAL NOT NULL,
        PRIMARY KEY (client_id, oauth_token)
    ) WITHOUT ROWID""",
)

# Whether a client's requests are refused. The default is for workers of the release before.
_DISABLED = ("ALTER TABLE oauth1_client ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0",)

# The audit trail. Rows are added and never changed. A token that has expired is recorded once, so its row says whether
# it was; the index has those that were not yet. The row of a use tells from its columns whether it is the first one.
_AUDIT = (
    """CREATE TABLE oauth1_audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        event TEXT NOT NULL,
        client_id TEXT NOT NULL,
        oauth_token TEXT,
        user_id TEXT,
        actor TEXT NOT NULL,
        actor_name TEXT NOT NULL
    )""",
    "CREATE INDEX oauth1_audit_client ON oauth1_audit (client_id)",
    "CREATE INDEX oauth1_audit_at ON oauth1_audit (at)",
    """CREATE TRIGGER oauth1_audit_no_update BEFORE UPDATE ON oauth1_audit
        BEGIN SELECT RAISE(ABORT, 'oauth1_audit is append-only'); END""",
    """CREATE TRIGGER oauth1_audit_no_delete BEFORE DELETE ON oauth1_audit
        BEGIN SELECT RAISE(ABORT, 'oauth1_audit is append-only'); END""",
    "ALTER TABLE oauth1_token_credential ADD COLUMN expiry_recorded INTEGER NOT NULL DEFAULT 0",
    """CREATE INDEX oauth1_token_credential_unrecorded ON oauth1_token_credential (expires_at)
        WHERE expires_at IS NOT NULL AND expiry_recorded = 0""",
    "ALTER TABLE oauth1_last_use ADD COLUMN first_used_at REAL",
    "ALTER TABLE oauth1_last_use ADD COLUMN user_agent TEXT NOT NULL DEFAULT ''",
)

# REPLACE deletes the row that is in its way without the triggers for DELETE. A row that gets its number from SQLite has
# -1 here, and no row has that number.
_AUDIT_IS_NOT_REPLACED = (
    """CREATE TRIGGER oauth1_audit_no_replace BEFORE INSERT ON oauth1_audit
        WHEN EXISTS (SELECT 1 FROM oauth1_audit WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'oauth1_audit is append-only'); END""",
)

#: Each migration is a list of statements; together they are one transaction.
MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    _FIRST,
    _TOKENS_EXPIRE,
    _FORGOTTEN,
    _SCOPES,
    _TOLERANCES,
    _LAST_USES,
    _EXCHANGED,
    _DISABLED,
    _AUDIT,
    _AUDIT_IS_NOT_REPLACED,
)

#: The version that this release reads and writes.
SCHEMA_VERSION: Final = len(MIGRATIONS)
