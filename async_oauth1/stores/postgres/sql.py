"""The statements that only the PostgreSQL store has. Each is a transaction of its own."""

from __future__ import annotations

from async_oauth1.stores import row_mapping as rows
from async_oauth1.stores.sql import CREDENTIAL_COLUMNS, end_where

__all__ = [
    "EXCHANGE",
    "INSERT_TEMPORARY",
    "LIST_TOKENS",
    "LOOK_UP",
    "PING",
    "PURGE_NONCES",
    "PURGE_TEMPORARY",
    "PURGE_TOKENS",
    "RECORD_USES",
    "REMEMBER",
    "REMOVE_CLIENT",
    "writes",
]

PING = "SELECT current_setting('transaction_read_only') FROM oauth1_schema"

# Inserts and returns only new nonces: not those that are there, nor those that may have been removed.
REMEMBER = (
    "INSERT INTO oauth1_nonce (nonce, expires_at) SELECT key::uuid, seconds + $3"
    " FROM unnest($1::text[], $2::bigint[]) AS nonce (key, seconds)"
    " WHERE seconds > (SELECT max(timestamp) FROM oauth1_nonce_forgotten)"
    " ON CONFLICT (nonce) DO NOTHING RETURNING nonce::text"
)
# One row for each question; the columns of what was not found are NULL.
LOOK_UP = (
    f"SELECT question.number, {CREDENTIAL_COLUMNS}"  # noqa: S608 - of constants alone
    " FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS question (client_id, oauth_token, number)"
    " LEFT JOIN oauth1_client AS c ON c.client_id = question.client_id"
    " LEFT JOIN oauth1_token_credential AS t"
    " ON t.oauth_token = question.oauth_token AND t.client_id = question.client_id"
)
# One row: whether the credentials were inserted, and whether the client ($3) had fewer than $7. First all of its rows
# are counted, using only the index; whether they have expired is checked only at the limit. Concurrent statements do
# not see each other's rows, so a client may exceed the limit by as many as there are connections.
INSERT_TEMPORARY = (
    "WITH room AS (SELECT"
    " (SELECT count(*) FROM (SELECT 1 FROM oauth1_temporary_credential WHERE client_id = $3 LIMIT $7::int) AS a) < $7"
    " OR (SELECT count(*) FROM (SELECT 1 FROM oauth1_temporary_credential WHERE client_id = $3 AND expires_at > $6"
    " LIMIT $7::int) AS b) < $7 AS left_over),"
    " created AS (INSERT INTO oauth1_temporary_credential"
    " (oauth_token, oauth_token_secret, client_id, oauth_callback, expires_at, requested_scope)"
    " SELECT $1, $2, $3, $4, $5, $8 FROM room WHERE left_over ON CONFLICT DO NOTHING RETURNING 1)"
    " SELECT EXISTS (SELECT 1 FROM created), left_over FROM room"
)
EXCHANGE = (
    "WITH taken AS ("  # noqa: S608 - of constants alone
    + end_where(
        "oauth_token = $1 AND client_id = $2 AND expires_at > $3 AND decided AND user_id IS NOT NULL", "$8::integer"
    )
    + " RETURNING user_id, scope)"
    " INSERT INTO oauth1_token_credential"
    " (oauth_token, oauth_token_secret, client_id, user_id, scope, created_at, expires_at)"
    " SELECT $4, $5, $2, user_id, COALESCE(NULLIF(scope, ''), $6), $3, $7 FROM taken RETURNING user_id, scope"
)
REMOVE_CLIENT = (
    "WITH removed AS (DELETE FROM oauth1_client WHERE client_id = $1 RETURNING client_id),"
    " tokens AS (DELETE FROM oauth1_token_credential WHERE client_id IN (SELECT client_id FROM removed)),"
    " pending AS (DELETE FROM oauth1_temporary_credential WHERE client_id IN (SELECT client_id FROM removed))"
    " SELECT client_id FROM removed"
)
# Removes some rows at a time, and skips those that another worker is removing, so that no request waits. Dropping
# partitions would need no vacuum, but takes a lock that blocks every request. There is no need for it: after five
# lifetimes the table has 119 bytes per live nonce instead of 93 at first, and batches are as fast as before.
# Uses the database's clock, or the worker's if that is behind: a worker whose clock is ahead must not remove rows that
# others need. A nonce begins with its timestamp.
PURGE_NONCES = (
    "WITH removed AS (DELETE FROM oauth1_nonce WHERE ctid = ANY(ARRAY(SELECT ctid FROM oauth1_nonce"
    " WHERE expires_at <= (SELECT floor(least($1::float8, extract(epoch FROM clock_timestamp())::float8)))::bigint"
    " ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))"
    " RETURNING nonce),"
    " newest AS (SELECT max(('x' || left(nonce::text, 8))::bit(32)::bigint) AS timestamp FROM removed)"
    " UPDATE oauth1_nonce_forgotten AS forgotten SET timestamp = newest.timestamp FROM newest"
    " WHERE newest.timestamp > forgotten.timestamp"
)
# Also those that have ended, whose expiry is negative.
PURGE_TEMPORARY = (
    "DELETE FROM oauth1_temporary_credential WHERE ctid = ANY(ARRAY(SELECT ctid FROM oauth1_temporary_credential"
    " WHERE expires_at <= (SELECT least($1::float8, extract(epoch FROM clock_timestamp())::float8))"
    " AND expires_at >= (SELECT -least($1::float8, extract(epoch FROM clock_timestamp())::float8))"
    " ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))"
)
PURGE_TOKENS = (
    "DELETE FROM oauth1_token_credential WHERE ctid = ANY(ARRAY(SELECT ctid FROM oauth1_token_credential"
    " WHERE expires_at <= (SELECT least($1::float8, extract(epoch FROM clock_timestamp())::float8)) - $3"
    " ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))"
)
LIST_TOKENS = (
    rows.SELECT_TOKEN + " WHERE ($1::text IS NULL OR user_id = $1) AND ($2::text IS NULL OR client_id = $2)"
    " AND (expires_at IS NULL OR expires_at > $3)"
    ' ORDER BY created_at, oauth_token COLLATE "C"'
)
# The other workers have their own record of what was written in the last minute ($4, in seconds).
RECORD_USES = (
    "INSERT INTO oauth1_last_use (client_id, oauth_token, used_at)"
    " SELECT * FROM unnest($1::text[], $2::text[], $3::float8[])"
    " ON CONFLICT (client_id, oauth_token) DO UPDATE SET used_at = excluded.used_at"
    " WHERE excluded.used_at >= oauth1_last_use.used_at + $4::float8"
)


def writes(statement: str) -> bool:
    """Whether a statement needs a database that can be written to."""
    return statement is PING or not statement.startswith("SELECT")
