"""Tests of the learning tool and its course."""
