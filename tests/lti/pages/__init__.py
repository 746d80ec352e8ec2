"""Tests of the programs on the pages about LTI."""
