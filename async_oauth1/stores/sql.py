"""The statements that the SQL stores share. Arguments are named ``$1``, ``$2``, as PostgreSQL names them."""

from __future__ import annotations

from .row_mapping import CLIENT_COLUMNS, SELECT_CLIENT, SELECT_TEMPORARY, SELECT_TOKEN

__all__ = [
    "APPROVE",
    "COUNT_WRONG_VERIFIER",
    "CREDENTIAL",
    "CREDENTIAL_COLUMNS",
    "DENY",
    "FORGET_ENDED",
    "GET_CLIENT",
    "GET_ENDED",
    "GET_TEMPORARY",
    "INSERT_CLIENT",
    "INSERT_TOKEN",
    "REVOKE",
    "REVOKE_MANY",
    "ROTATE",
    "SET_DISABLED",
    "TAKE",
    "UPDATE_CLIENT",
    "end_where",
]


def end_where(condition: str, limit: str) -> str:
    """End the temporary credentials that meet a condition. It includes ``expires_at > now``.

    Credentials that have ended stay until they would have expired, so that their client can be told. Their expiry is
    negative, so no other statement finds them, nor does an earlier release. They are removed like expired ones.

    Args:
        condition: of the statement.
        limit: the argument with the number of a client's rows; those that end beyond it are removed next.
    """
    return (
        "UPDATE oauth1_temporary_credential SET expires_at = CASE WHEN (SELECT count(*) FROM (SELECT 1"  # noqa: S608 - of constants alone
        " FROM oauth1_temporary_credential AS o WHERE o.client_id = oauth1_temporary_credential.client_id"
        f" LIMIT {limit} + 1) AS a) <= {limit} THEN -expires_at ELSE -1 END WHERE {condition}"
    )


#: The columns of `SELECT_CLIENT` in the table ``c``, then those of `SELECT_TOKEN` in the table ``t``.
CREDENTIAL_COLUMNS = (
    "c.client_id, c.client_secret, c.overlapping_secrets, c.name, c.callbacks, c.signature_methods,"
    " c.rsa_public_key, c.nonce_policy, c.callback_query_may_differ, c.tolerances, c.disabled,"
    " t.oauth_token, t.oauth_token_secret, t.client_id, t.user_id, t.scope, t.created_at, t.expires_at"
)

#: Returns what the audit trail needs of credentials.
CREDENTIAL = " RETURNING client_id, oauth_token, user_id"

GET_CLIENT = SELECT_CLIENT + " WHERE client_id = $1"
#: Token credentials, also those that have expired.
GET_TOKEN = SELECT_TOKEN + " WHERE oauth_token = $1"
# No error if the key is taken, so none in PostgreSQL's log.
INSERT_CLIENT = (
    "INSERT INTO oauth1_client (client_id, client_secret, overlapping_secrets, name, callbacks, signature_methods,"
    " rsa_public_key, nonce_policy, callback_query_may_differ, tolerances, disabled)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
    " ON CONFLICT DO NOTHING RETURNING client_id"
)
# Only if the secrets are still as they were read.
ROTATE = (
    "UPDATE oauth1_client SET client_secret = $1, overlapping_secrets = $2"
    " WHERE client_id = $3 AND client_secret = $4 AND overlapping_secrets = $5 RETURNING client_id"
)

# What is NULL keeps its value, so two processes may change different attributes at once.
UPDATE_CLIENT = (
    "UPDATE oauth1_client SET callbacks = coalesce($2, callbacks), nonce_policy = coalesce($3, nonce_policy),"  # noqa: S608 - of constants alone
    " callback_query_may_differ = coalesce($4, callback_query_may_differ), tolerances = coalesce($5, tolerances),"
    " name = coalesce($6, name), signature_methods = coalesce($7, signature_methods),"
    " rsa_public_key = nullif(coalesce($8, rsa_public_key), '')"
    f" WHERE client_id = $1 RETURNING {CLIENT_COLUMNS}"
)

SET_DISABLED = (
    f"UPDATE oauth1_client SET disabled = $2 WHERE client_id = $1 AND disabled <> $2 RETURNING {CLIENT_COLUMNS}"  # noqa: S608 - of constants alone
)

GET_TEMPORARY = SELECT_TEMPORARY + " WHERE oauth_token = $1 AND expires_at > $2"
TAKE = end_where("oauth_token = $1 AND expires_at > $2", "CAST($3 AS integer)") + CREDENTIAL
DENY = end_where("oauth_token = $1 AND expires_at > $2 AND NOT decided", "CAST($3 AS integer)") + CREDENTIAL
FORGET_ENDED = "DELETE FROM oauth1_temporary_credential WHERE oauth_token = $1 AND expires_at < 0 RETURNING 1"
GET_ENDED = SELECT_TEMPORARY + " WHERE oauth_token = $1 AND expires_at < -CAST($2 AS double precision)"
APPROVE = (
    "UPDATE oauth1_temporary_credential SET user_id = $3, oauth_verifier = $4, scope = $5, decided = true"  # noqa: S608 - of constants alone
    f" WHERE oauth_token = $1 AND expires_at > $2 AND NOT decided{CREDENTIAL}"
)
COUNT_WRONG_VERIFIER = (
    "UPDATE oauth1_temporary_credential SET wrong_verifiers = wrong_verifiers + 1"
    " WHERE oauth_token = $1 AND expires_at > $2 RETURNING wrong_verifiers"
)

INSERT_TOKEN = (
    "INSERT INTO oauth1_token_credential"  # noqa: S608 - of constants alone
    " (oauth_token, oauth_token_secret, client_id, user_id, scope, created_at, expires_at)"
    f" VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING{CREDENTIAL}"
)
REVOKE = (
    "DELETE FROM oauth1_token_credential WHERE oauth_token = $1 AND (CAST($2 AS text) IS NULL OR user_id = $2)"  # noqa: S608 - of constants alone
    f" AND (expires_at IS NULL OR expires_at > $3){CREDENTIAL}"
)
REVOKE_MANY = (
    "DELETE FROM oauth1_token_credential WHERE (expires_at IS NULL OR expires_at > $1)"  # noqa: S608 - of constants alone
    f" AND (CAST($2 AS text) IS NULL OR user_id = $2) AND (CAST($3 AS text) IS NULL OR client_id = $3){CREDENTIAL}"
)
