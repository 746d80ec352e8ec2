"""Calculations for one worker to a million requests per second: the tables of docs/scaling.md."""
