"""Tests of limits for flask_compat."""
