"""The statements that only the PostgreSQL store has. Each is a transaction of its own."""

from __future__ import annotations

from functools import lru_cache

from async_oauth1.stores import row_mapping as rows
from async_oauth1.stores.sql import CREDENTIAL_COLUMNS, end_where

__all__ = [
    "EXCHANGE",
    "EXPIRE",
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
    "recorded",
    "writes",
]

_AUDIT = "INSERT INTO oauth1_audit (at, event, client_id, oauth_token, user_id, actor, actor_name)"


@lru_cache(maxsize=64)
def recorded(statement: str, event: str, arguments: int) -> str:
    """A statement that records each row that it returns.

    Its arguments are followed by the time, and by the kind and the name of the actor.

    Args:
        statement: changes rows and returns them, as for `AuditInSQL`.
        event: to record.
        arguments: how many the statement has.
    """
    at, actor, name = (f"${arguments + number}" for number in (1, 2, 3))
    names = "client_id, NULL, NULL" if event.startswith("client.") else "client_id, oauth_token, user_id"
    return (
        f"WITH changed AS ({statement}),"  # noqa: S608 - of constants alone
        f" recorded AS ({_AUDIT} SELECT {at}::float8, '{event}', {names}, {actor}::text, {name}::text FROM changed)"
        " SELECT * FROM changed"
    )


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
    "WITH room AS (SELECT"  # noqa: S608 - of constants alone
    " (SELECT count(*) FROM (SELECT 1 FROM oauth1_temporary_credential WHERE client_id = $3 LIMIT $7::int) AS a) < $7"
    " OR (SELECT count(*) FROM (SELECT 1 FROM oauth1_temporary_credential WHERE client_id = $3 AND expires_at > $6"
    " LIMIT $7::int) AS b) < $7 AS left_over),"
    " created AS (INSERT INTO oauth1_temporary_credential"
    " (oauth_token, oauth_token_secret, client_id, oauth_callback, expires_at, requested_scope)"
    " SELECT $1, $2, $3, $4, $5, $8 FROM room WHERE left_over ON CONFLICT DO NOTHING RETURNING client_id, oauth_token),"
    f" recorded AS ({_AUDIT}"
    " SELECT $6, 'temporary.created', client_id, oauth_token, NULL, $9::text, $10::text FROM created)"
    " SELECT EXISTS (SELECT 1 FROM created), left_over FROM room"
)
EXCHANGE = (
    "WITH taken AS ("  # noqa: S608 - of constants alone
    + end_where(
        "oauth_token = $1 AND client_id = $2 AND expires_at > $3 AND decided AND user_id IS NOT NULL", "$8::integer"
    )
    + " RETURNING user_id, scope),"  # noqa: S608 - of constants alone
    " made AS (INSERT INTO oauth1_token_credential"
    " (oauth_token, oauth_token_secret, client_id, user_id, scope, created_at, expires_at)"
    " SELECT $4, $5, $2, user_id, COALESCE(NULLIF(scope, ''), $6), $3, $7 FROM taken"
    " RETURNING client_id, oauth_token, user_id, scope, created_at),"
    f" recorded AS ({_AUDIT}"
    " SELECT created_at, 'token.created', client_id, oauth_token, user_id, $9::text, $10::text FROM made)"
    " SELECT user_id, scope FROM made"
)
REMOVE_CLIENT = (
    "WITH removed AS (DELETE FROM oauth1_client WHERE client_id = $1 RETURNING client_id),"  # noqa: S608 - of constants alone
    " tokens AS (DELETE FROM oauth1_token_credential WHERE client_id IN (SELECT client_id FROM removed)"
    " RETURNING client_id, oauth_token, user_id, expires_at, expiry_recorded),"
    " pending AS (DELETE FROM oauth1_temporary_credential WHERE client_id IN (SELECT client_id FROM removed)"
    " RETURNING client_id, oauth_token, user_id, expires_at),"
    f" recorded AS ({_AUDIT} SELECT $2::float8, event, client_id, oauth_token, user_id,"
    " CASE WHEN event LIKE '%.expired' THEN 'provider' ELSE $3::text END,"
    " CASE WHEN event LIKE '%.expired' THEN '' ELSE $4::text END FROM ("
    "SELECT CASE WHEN expires_at <= $2::float8 THEN 'token.expired' ELSE 'token.revoked' END AS event,"
    " client_id, oauth_token, user_id FROM tokens WHERE NOT expiry_recorded"
    " UNION ALL SELECT CASE WHEN expires_at <= $2::float8 THEN 'temporary.expired' ELSE 'temporary.ended' END,"
    " client_id, oauth_token, user_id FROM pending WHERE expires_at > 0"
    " UNION ALL SELECT 'client.removed', client_id, NULL, NULL FROM removed) AS gone)"
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
_EXPIRED = "client_id, oauth_token, user_id, 'provider', '' FROM gone"
# Also those that have ended, whose expiry is negative; their end is recorded already.
PURGE_TEMPORARY = (
    "WITH gone AS (DELETE FROM oauth1_temporary_credential"  # noqa: S608 - of constants alone
    " WHERE ctid = ANY(ARRAY(SELECT ctid FROM oauth1_temporary_credential"
    " WHERE expires_at <= (SELECT least($1::float8, extract(epoch FROM clock_timestamp())::float8))"
    " AND expires_at >= (SELECT -least($1::float8, extract(epoch FROM clock_timestamp())::float8))"
    " ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))"
    " RETURNING client_id, oauth_token, user_id, expires_at)"
    f" {_AUDIT} SELECT $1::float8, 'temporary.expired', {_EXPIRED} WHERE expires_at > 0"
)
# Records the tokens that have expired; they stay for a while.
EXPIRE = (
    "WITH gone AS (UPDATE oauth1_token_credential SET expiry_recorded = true"  # noqa: S608 - of constants alone
    " WHERE ctid = ANY(ARRAY(SELECT ctid FROM oauth1_token_credential"
    " WHERE expires_at <= (SELECT least($1::float8, extract(epoch FROM clock_timestamp())::float8))"
    " AND NOT expiry_recorded ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))"
    " RETURNING client_id, oauth_token, user_id)"
    f" {_AUDIT} SELECT $1::float8, 'token.expired', {_EXPIRED}"
)
PURGE_TOKENS = (
    "WITH gone AS (DELETE FROM oauth1_token_credential"  # noqa: S608 - of constants alone
    " WHERE ctid = ANY(ARRAY(SELECT ctid FROM oauth1_token_credential"
    " WHERE expires_at <= (SELECT least($1::float8, extract(epoch FROM clock_timestamp())::float8)) - $3"
    " ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))"
    " RETURNING client_id, oauth_token, user_id, expiry_recorded)"
    f" {_AUDIT} SELECT $1::float8, 'token.expired', {_EXPIRED} WHERE NOT expiry_recorded"
)
LIST_TOKENS = (
    rows.SELECT_TOKEN + " WHERE ($1::text IS NULL OR user_id = $1) AND ($2::text IS NULL OR client_id = $2)"
    " AND (expires_at IS NULL OR expires_at > $3)"
    ' ORDER BY created_at, oauth_token COLLATE "C"'
)
# The other workers have their own record of what was written in the last minute ($5, in seconds). The first use of a
# client or a token is recorded; a token may have been revoked meanwhile.
RECORD_USES = (
    "WITH used AS (INSERT INTO oauth1_last_use (client_id, oauth_token, used_at, first_used_at, user_agent)"  # noqa: S608 - of constants alone
    " SELECT name, token, at, at, agent FROM"
    " unnest($1::text[], $2::text[], $3::float8[], $4::text[]) AS use (name, token, at, agent)"
    " ON CONFLICT (client_id, oauth_token) DO UPDATE SET used_at = excluded.used_at, user_agent = excluded.user_agent"
    " WHERE excluded.used_at >= oauth1_last_use.used_at + $5::float8"
    " RETURNING client_id, oauth_token, used_at, first_used_at)"
    f" {_AUDIT} SELECT used_at,"
    " CASE WHEN used.oauth_token = '' THEN 'client.first_used' ELSE 'token.first_used' END,"
    " used.client_id, NULLIF(used.oauth_token, ''), t.user_id, 'client', used.client_id FROM used"
    " LEFT JOIN oauth1_token_credential AS t ON t.oauth_token = used.oauth_token AND t.client_id = used.client_id"
    " WHERE used_at = first_used_at AND (used.oauth_token = '' OR t.oauth_token IS NOT NULL)"
)


def writes(statement: str) -> bool:
    """Whether a statement needs a database that can be written to."""
    return statement is PING or not statement.startswith("SELECT")
