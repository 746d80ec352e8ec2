"""The audit trail: which credentials were made, used first, changed, revoked and expired, and the actors."""
