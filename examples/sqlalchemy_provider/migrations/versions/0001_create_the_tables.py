"""Create the tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "nonce",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", _string(48), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("nonce", _string(48), nullable=False),
        sa.Column("oauth_token", _string(84), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_nonce"),
        sa.UniqueConstraint("client_id", "timestamp", "nonce", "oauth_token", name="unique_nonce"),
    )
    op.create_index("ix_nonce_timestamp", "nonce", ["timestamp"])

    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_user"),
        sa.UniqueConstraint("name", name="uq_user_name"),
    )
    op.create_table(
        "client",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", _text(), nullable=False),
        sa.Column("callbacks", sa.JSON(), nullable=False),
        sa.Column("signature_methods", sa.JSON(), nullable=False),
        sa.Column("rsa_public_key", _text(), nullable=True),
        sa.Column("nonce_policy", sa.String(length=10), nullable=False),
        sa.Column("callback_query_may_differ", sa.Boolean(), nullable=False),
        sa.Column("tolerances", sa.JSON(), nullable=False),
        sa.Column("client_id", _string(48), nullable=False),
        sa.Column("client_secret", _string(120), nullable=True),
        sa.Column("default_redirect_uri", _text(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], name="fk_client_owner_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_client"),
        sa.UniqueConstraint("client_id", name="uq_client_client_id"),
    )
    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_note_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_note"),
    )
    op.create_index("ix_note_user_id", "note", ["user_id"])

    op.create_table(
        "temporary_credential",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("requested_scope", _text(), nullable=False),
        sa.Column("scope", _text(), nullable=False),
        sa.Column("client_id", _string(48), nullable=False),
        sa.Column("oauth_token", _string(84), nullable=False),
        sa.Column("oauth_token_secret", _string(84), nullable=False),
        sa.Column("oauth_callback", _text(), nullable=False),
        sa.Column("oauth_verifier", _string(84), nullable=True),
        sa.Column("wrong_verifiers", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_temporary_credential_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_temporary_credential"),
        sa.UniqueConstraint("oauth_token", name="uq_temporary_credential_oauth_token"),
    )
    op.create_index("ix_temporary_credential_client_id", "temporary_credential", ["client_id"])
    op.create_index("ix_temporary_credential_expires_at", "temporary_credential", ["expires_at"])

    op.create_table(
        "token_credential",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("scope", _text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.Column("client_id", _string(48), nullable=False),
        sa.Column("oauth_token", _string(84), nullable=False),
        sa.Column("oauth_token_secret", _string(84), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_token_credential_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_token_credential"),
        sa.UniqueConstraint("oauth_token", name="uq_token_credential_oauth_token"),
    )
    op.create_index("ix_token_credential_client_id", "token_credential", ["client_id"])
    op.create_index("ix_token_credential_expires_at", "token_credential", ["expires_at"])
    op.create_index("ix_token_credential_user_id", "token_credential", ["user_id"])


def downgrade() -> None:
    """Undo the change."""
    for table in ("token_credential", "temporary_credential", "note", "client", "user", "nonce"):
        op.drop_table(table)


def _string(length: int) -> TypeEngine[str]:
    """Text that MySQL compares exactly, too."""
    exact = mysql.VARCHAR(length, charset="utf8mb4", collation="utf8mb4_bin")
    return sa.String(length).with_variant(exact, "mysql", "mariadb")


def _text() -> TypeEngine[str]:
    return sa.Text().with_variant(mysql.TEXT(charset="utf8mb4", collation="utf8mb4_bin"), "mysql", "mariadb")
