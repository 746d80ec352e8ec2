"""The image, the compose file, the manifests, the unit and the provider agree with each other."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml

from async_oauth1.serve.listening import LARGEST_HEAD
from async_oauth1.stores import MemoryStore
from examples.photos.app import create_app
from examples.photos.serving import server, stopping
from examples.photos.settings import read_settings
from examples.photos.storage import Storage
from examples.photos.users import MemoryUsers
from tests.examples.running import ROOT

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "container/Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "container/compose.yaml").read_text())
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((DEPLOY / "kubernetes/kustomization.yaml").read_text())
MANIFESTS: dict[str, dict[str, Any]] = {
    path.name: yaml.safe_load(path.read_text())
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    if path.name != "kustomization.yaml"
}
POD: dict[str, Any] = MANIFESTS["deployment.yaml"]["spec"]["template"]["spec"]
[CONTAINER] = POD["containers"]
UNIT = (DEPLOY / "systemd/oauth1-provider.service").read_text()
PORT = 8000


def instructions(name: str) -> list[str]:
    """The arguments of each such instruction of the Dockerfile, with continued lines joined."""
    joined = re.sub(r"\\\n\s*", "", DOCKERFILE)
    return re.findall(rf"^\s*{name} (.+)$", joined, re.MULTILINE)


def variables(text: str) -> set[str]:
    """The provider's variables that are set in a file."""
    return set(re.findall(r"^\s*((?:PHOTOS|ASYNC_OAUTH1)_[A-Z_]+)\s*[=:]", text, re.MULTILINE))


def test_the_image_is_made_of_files_that_exist() -> None:
    """Each file that is copied is there and not ignored, and each extra that is installed exists."""
    kept = set(re.findall(r"^!(\S+)$", (DEPLOY / "container/Dockerfile.dockerignore").read_text(), re.MULTILINE))
    copied = [words for words in map(str.split, instructions("COPY")) if not words[0].startswith("--from")]
    sources = {source for words in copied for source in words[:-1]}
    assert sources == kept
    assert [source for source in sources if not (ROOT / source).exists()] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for text in (DOCKERFILE, (ROOT / "docs/operating.md").read_text()):
        for extras in re.findall(r'"\.\[([a-z0-9,-]+)\]"', text):
            assert set(extras.split(",")) <= project["optional-dependencies"].keys()
    [python] = set(re.findall(r"^FROM python:([0-9.]+)-slim", DOCKERFILE, re.MULTILINE))
    assert f"Programming Language :: Python :: {python}" in project["classifiers"]


def test_the_image_has_no_rights() -> None:
    """It runs as a user with a number, which Kubernetes can check, and owns none of its files."""
    assert instructions("USER") == ["10001:10001"]
    assert "--chown" not in DOCKERFILE
    assert instructions("EXPOSE") == [str(PORT)]
    assert instructions("STOPSIGNAL") == ["SIGTERM"]
    assert "/health/ready" in DOCKERFILE


@pytest.mark.parametrize("source", ["unit", "image", "pod"])
def test_the_command_is_understood(source: str) -> None:
    """Its options exist, and it listens on the port that the others connect to."""
    words = {
        "unit": re.findall(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)[0].split(),
        "image": yaml.safe_load(instructions("CMD")[-1]),
        "pod": CONTAINER["command"],
    }[source]
    assert words[1:3] == ["-m", "examples.photos"]
    settings = read_settings(words[3:], {})
    assert settings.port == PORT
    assert settings.host == ("127.0.0.1" if source == "unit" else "0.0.0.0")
    assert settings.workers >= 2  # a supervisor replaces a worker that has crashed, and restarts them one by one


def test_compose() -> None:
    """Services are read-only and without capabilities, and what one waits for says when it is ready."""
    services = COMPOSE["services"]
    assert services.keys() == {"postgres", "valkey", "migrate", "provider", "nginx"}
    for name, service in services.items():
        assert service["read_only"] is True
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert name == "postgres" or service["cap_drop"] == ["ALL"]
        for needed, condition in service.get("depends_on", {}).items():
            if condition["condition"] == "service_healthy":
                assert needed == "provider" or "test" in services[needed]["healthcheck"]
    assert [name for name, service in services.items() if "ports" in service] == ["nginx"]
    assert COMPOSE["networks"]["back"]["internal"] is True
    command = " ".join(services["valkey"]["command"])
    assert "--appendonly yes --appendfsync always" in command
    assert "--maxmemory-policy noeviction" in command
    assert float(services["provider"]["stop_grace_period"][:-1]) > stopping.LONGEST + server.GRACE + 1
    proxies = services["provider"]["environment"]["PHOTOS_TRUSTED_PROXIES"]
    assert COMPOSE["networks"]["front"]["ipam"]["config"] == [{"subnet": proxies}]


def test_files_of_compose_exist() -> None:
    """What is mounted and built is there, and the upstream is the service."""
    folder = DEPLOY / "container"
    mounted = [volume.split(":") for volume in COMPOSE["services"]["nginx"]["volumes"]]
    assert [source for source, *_ in mounted if source != "./tls" and not (folder / source).exists()] == []
    build = COMPOSE["services"]["provider"]["build"]
    assert (folder / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).exists()
    assert f"server provider:{PORT} max_fails=0;" in (folder / "provider-upstream.conf").read_text()
    configured = (DEPLOY / "nginx/provider.conf").read_text()
    assert {target for _, target, *_ in mounted} > {f"/etc/nginx/{re.findall('include (.*);', configured)[0]}"}


@pytest.mark.parametrize(
    "path",
    [
        "systemd/environment.example",
        "container/environment.example",
        "container/compose.yaml",
        "kubernetes/secret.example.yaml",
    ],
)
def test_variables_are_read_and_have_no_secrets(path: str) -> None:
    """Each variable is one that the provider reads, and each secret has to be filled in."""
    text = (DEPLOY / path).read_text()
    read = "".join(
        file.read_text() for folder in ("examples/photos", "async_oauth1") for file in (ROOT / folder).rglob("*.py")
    )
    found = variables(text)
    assert found >= {"PHOTOS_SESSION_KEY", "PHOTOS_METRICS_TOKEN", "ASYNC_OAUTH1_KEYS"}
    assert [name for name in found if f'"{name}"' not in read] == []
    for name in ("PHOTOS_SESSION_KEY", "PHOTOS_METRICS_TOKEN", "ASYNC_OAUTH1_KEYS", "POSTGRES_PASSWORD"):
        for value in re.findall(rf"^\s*{name}\s*[=:]\s*(\S+)", text, re.MULTILINE):
            assert value.strip("'") == "CHANGE-ME" or value.startswith("${")
    needed = set(re.findall(r"\$\{([A-Z0-9_]+):\?\}", text))
    assert needed <= set(
        re.findall(r"^([A-Z0-9_]+)=", (DEPLOY / "container/environment.example").read_text(), re.MULTILINE)
    )


def test_the_pod_is_confined() -> None:
    """As Kubernetes' restricted profile wants it, and with a read-only file system."""
    assert MANIFESTS["namespace.yaml"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert f"{POD['securityContext']['runAsUser']}:{POD['securityContext']['runAsGroup']}" == instructions("USER")[0]
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert POD["automountServiceAccountToken"] is False
    for container in (*POD["initContainers"], CONTAINER):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "memory" in container["resources"]["limits"]
        assert container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]


async def test_probes() -> None:
    """They ask paths that the provider serves; whether it lives does not depend on its stores."""
    paths = {name: CONTAINER[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {
        "startupProbe": "/health/alive",
        "livenessProbe": "/health/alive",
        "readinessProbe": "/health/ready",
    }
    assert all(CONTAINER[name]["httpGet"]["port"] == "http" for name in paths)
    assert CONTAINER["ports"] == [{"name": "http", "containerPort": PORT}]
    store = MemoryStore()
    app = create_app(read_settings([], {"PHOTOS_STORE": "memory://"}), Storage(store, store, MemoryUsers()))
    for path in set(paths.values()):
        assert (await app.test_client().get(path)).status_code == 200, path


def test_a_pod_leaves_without_losing_requests() -> None:
    """It serves until every proxy knows that it leaves, and is not killed before its last request ends."""
    [command] = CONTAINER["lifecycle"]["preStop"].values()
    pause = float(command["command"][1])
    assert POD["terminationGracePeriodSeconds"] > pause + stopping.LONGEST + server.GRACE + 1
    assert MANIFESTS["deployment.yaml"]["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert (
        MANIFESTS["deployment.yaml"]["spec"]["replicas"] > MANIFESTS["disruption-budget.yaml"]["spec"]["maxUnavailable"]
    )


def test_the_manifests_name_each_other() -> None:
    """Each file is applied except for the example of the secret; labels, ports and names fit."""
    assert set(KUSTOMIZATION["resources"]) == MANIFESTS.keys() - {"secret.example.yaml"}
    deployment = MANIFESTS["deployment.yaml"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == MANIFESTS["service.yaml"]["spec"]["selector"] == labels
    for name, key in (("disruption-budget.yaml", "selector"), ("network-policy.yaml", "podSelector")):
        assert MANIFESTS[name]["spec"][key]["matchLabels"] == labels
    [image] = KUSTOMIZATION["images"]
    assert {container["image"] for container in (*POD["initContainers"], CONTAINER)} == {image["name"]}
    assert POD["initContainers"][0]["envFrom"] == CONTAINER["envFrom"]
    assert CONTAINER["envFrom"][0]["secretRef"]["name"] == MANIFESTS["secret.example.yaml"]["metadata"]["name"]
    [port] = MANIFESTS["service.yaml"]["spec"]["ports"]
    [rule] = MANIFESTS["ingress.yaml"]["spec"]["rules"]
    for path in rule["http"]["paths"]:
        assert path["backend"]["service"] == {"name": "oauth1-provider", "port": {"name": port["name"]}}
    opened = {path["path"] for path in rule["http"]["paths"]}
    assert not {"/metrics", "/health"} & opened
    assert all(path["pathType"] == ("Exact" if path["path"] == "/" else "Prefix") for path in rule["http"]["paths"])


def test_the_ingress_has_every_page() -> None:
    """Each path that clients and browsers use is one of its rules."""
    store = MemoryStore()
    app = create_app(read_settings([], {"PHOTOS_STORE": "memory://"}), Storage(store, store, MemoryUsers()))
    [rule] = MANIFESTS["ingress.yaml"]["spec"]["rules"]
    opened = {path["path"] for path in rule["http"]["paths"]}
    served = {f"/{rule.rule.split('/')[1]}" for rule in app.url_map.iter_rules()}
    assert served - {"/metrics", "/health", "/admin"} == opened  # those are for operators


def test_proxies_take_as_large_a_head_as_the_provider() -> None:
    """nginx has buffers for the largest head that the provider reads."""
    count, size = re.findall(r"large_client_header_buffers (\d+) (\d+)k", (DEPLOY / "nginx/provider.conf").read_text())[
        0
    ]
    assert int(count) * int(size) * 1024 >= LARGEST_HEAD
