"""Tests of `flask_compat` on Flask and on Quart."""
