"""Limits on what one client and one address may do."""
