"""Tests of the protocol, without a framework and without I/O."""
