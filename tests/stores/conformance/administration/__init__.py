"""Tests of what operators do with clients and token credentials."""
