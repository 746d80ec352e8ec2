"""The password of the Valkey of compose.yaml: the server wants it, and its command line does not show it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import redis

from tests.servers.processes import free_ports, wait_until
from tests.servers.valkey import valkey_binary

from .test_manifests import COMPOSE

PASSWORD = "correct-horse"  # what environment.example allows: letters, digits and hyphens


def test_the_command_line_does_not_show_it(tmp_path: Path) -> None:
    """The service's own command, with a server that notes its arguments first; the shell is replaced by the server."""
    (port,) = free_ports(1)
    wrapper = tmp_path / "valkey-server"
    wrapper.write_text(
        f'#!/bin/sh\necho "$@" >{tmp_path}/arguments\n'
        f'exec {valkey_binary()} "$@" --port {port} --bind 127.0.0.1 --dir {tmp_path}\n'
    )
    wrapper.chmod(0o700)
    command = [part.replace("$$", "$") for part in COMPOSE["services"]["valkey"]["command"]]  # as Compose does
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "VALKEY_PASSWORD": PASSWORD}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        with redis.Redis(port=port, password=PASSWORD) as client, redis.Redis(port=port) as stranger:
            wait_until(lambda: _answers(client), "Valkey")
            assert not _answers(stranger)
            assert client.config_get("append*")["appendfsync"] == "always"
            assert client.info("server")["process_id"] == server.pid
    finally:
        server.terminate()
        server.wait()
    arguments = (tmp_path / "arguments").read_text()
    assert "--appendonly yes" in arguments
    assert PASSWORD not in arguments


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
