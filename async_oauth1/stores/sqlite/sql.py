"""The statements that only the SQLite store has."""

from __future__ import annotations

import re
from functools import cache

from async_oauth1.stores.sql import CREDENTIAL_COLUMNS, end_where

__all__ = [
    "EXPIRE",
    "FORGET",
    "INSERT_TEMPORARY",
    "LOOK_UP",
    "NEWEST",
    "PURGE_NONCES",
    "PURGE_TEMPORARY",
    "PURGE_TOKENS",
    "RECORD",
    "RECORD_USES",
    "REMEMBER",
    "REMOVE_CLIENT",
    "REMOVE_TEMPORARY",
    "REMOVE_TOKENS",
    "TAKE_APPROVED",
    "USER_OF_TOKEN",
    "numbered",
]


@cache
def numbered(statement: str) -> str:
    """A statement with its arguments named as in SQLite, which reads ``?1`` as a number and ``$1`` as a name."""
    return re.sub(r"\$(?=\d)", "?", statement)


# Nothing is inserted if the client (?3) has ?7 of them. First all of them are counted, using only the index; whether
# they have expired is checked only at the limit.
INSERT_TEMPORARY = (
    "INSERT INTO oauth1_temporary_credential (oauth_token, oauth_token_secret, client_id, oauth_callback, expires_at,"
    " requested_scope) SELECT ?1, ?2, ?3, ?4, ?5, ?8"
    " WHERE (SELECT count(*) FROM"
    " (SELECT 1 FROM oauth1_temporary_credential WHERE client_id = ?3 LIMIT ?7)) < ?7"
    " OR (SELECT count(*) FROM"
    " (SELECT 1 FROM oauth1_temporary_credential WHERE client_id = ?3 AND expires_at > ?6 LIMIT ?7)) < ?7"
    " RETURNING client_id, oauth_token, user_id"
)
# One row for each question; the columns of what was not found are NULL.
LOOK_UP = (
    f"SELECT question.key + 1, {CREDENTIAL_COLUMNS}"  # noqa: S608 - of constants alone
    " FROM json_each(?1) AS question"
    " LEFT JOIN oauth1_client AS c ON c.client_id = json_extract(question.value, '$[0]')"
    " LEFT JOIN oauth1_token_credential AS t ON t.oauth_token = json_extract(question.value, '$[1]')"
    " AND t.client_id = json_extract(question.value, '$[0]')"
)
# Inserts and returns only new nonces: not those that are there, nor those that may have been removed.
REMEMBER = (
    "INSERT INTO oauth1_nonce (nonce, expires_at)"
    " SELECT value, CAST(json_extract(value, '$[0]') AS INTEGER) + ?2 FROM json_each(?1)"
    " WHERE CAST(json_extract(value, '$[0]') AS INTEGER) > (SELECT timestamp FROM oauth1_nonce_forgotten)"
    " ON CONFLICT (nonce) DO NOTHING RETURNING nonce"
)
# The time of the newest rows: the newest timestamp that was accepted, or the newest temporary credentials. A worker
# whose clock is ahead must not remove rows that the others still need.
NEWEST = (
    "SELECT max((SELECT COALESCE(max(expires_at), 0) FROM oauth1_nonce) - ?1,"
    " (SELECT COALESCE(max(expires_at), 0) FROM oauth1_temporary_credential) - ?2)"
)
TAKE_APPROVED = (
    end_where("oauth_token = ?1 AND client_id = ?2 AND expires_at > ?3 AND decided = 1 AND user_id IS NOT NULL", "?4")
    + " RETURNING user_id, scope"
)
PURGE_NONCES = (
    "DELETE FROM oauth1_nonce WHERE nonce IN"
    " (SELECT nonce FROM oauth1_nonce WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)"
    " RETURNING CAST(json_extract(nonce, '$[0]') AS INTEGER)"
)
# In the same transaction as `PURGE_NONCES`.
FORGET = "UPDATE oauth1_nonce_forgotten SET timestamp = max(timestamp, ?1)"
# Also those that have ended, whose expiry is negative.
PURGE_TEMPORARY = (
    "DELETE FROM oauth1_temporary_credential WHERE oauth_token IN"
    " (SELECT oauth_token FROM oauth1_temporary_credential WHERE expires_at BETWEEN -?1 AND ?1"
    " ORDER BY expires_at LIMIT ?2) RETURNING client_id, oauth_token, user_id, expires_at"
)
PURGE_TOKENS = (
    "DELETE FROM oauth1_token_credential WHERE oauth_token IN"
    " (SELECT oauth_token FROM oauth1_token_credential WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)"
    " RETURNING client_id, oauth_token, user_id, expiry_recorded"
)
# Other processes have their own record of what was written in the last minute (?2, in seconds).
RECORD_USES = (
    "INSERT INTO oauth1_last_use (client_id, oauth_token, used_at, first_used_at, user_agent)"
    " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),"
    " json_extract(value, '$[2]'), json_extract(value, '$[3]') FROM json_each(?1)"
    " WHERE true ON CONFLICT (client_id, oauth_token) DO UPDATE"
    " SET used_at = excluded.used_at, user_agent = excluded.user_agent"
    " WHERE excluded.used_at >= oauth1_last_use.used_at + ?2"
    " RETURNING client_id, oauth_token, used_at = first_used_at"
)
USER_OF_TOKEN = "SELECT user_id FROM oauth1_token_credential WHERE client_id = ?1 AND oauth_token = ?2"
# In the same transaction as what it records. Each of the values is a list of client, token and user.
RECORD = (
    "INSERT INTO oauth1_audit (at, event, client_id, oauth_token, user_id, actor, actor_name)"
    " SELECT ?1, ?2, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), ?3, ?4"
    " FROM json_each(?5)"
)
# Records the tokens that have expired; they stay for a while.
EXPIRE = (
    "UPDATE oauth1_token_credential SET expiry_recorded = 1 WHERE oauth_token IN"
    " (SELECT oauth_token FROM oauth1_token_credential WHERE expires_at IS NOT NULL AND expiry_recorded = 0"
    " AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2) RETURNING client_id, oauth_token, user_id"
)
REMOVE_CLIENT = "DELETE FROM oauth1_client WHERE client_id = ?1 RETURNING client_id"
REMOVE_TOKENS = (
    "DELETE FROM oauth1_token_credential WHERE client_id = ?1"
    " RETURNING client_id, oauth_token, user_id, expires_at, expiry_recorded"
)
REMOVE_TEMPORARY = (
    "DELETE FROM oauth1_temporary_credential WHERE client_id = ?1 RETURNING client_id, oauth_token, user_id, expires_at"
)
