"""The resource owner's decision (RFC 5849 section 2.2): approvals, scopes, and how clients are told."""
