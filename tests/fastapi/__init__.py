"""Tests of `async_oauth1.fastapi`."""
