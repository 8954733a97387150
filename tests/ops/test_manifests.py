"""Kubernetes manifests, Dockerfile and Jenkinsfile: what can be known of them without a cluster."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client

BASE_DIR = Path(__file__).resolve().parent.parent.parent
K8S = BASE_DIR / "k8s"
DIGEST = "sha256:" + "0123456789abcdef" * 4
Manifest = dict[str, Any]


def manifests(folder: str) -> list[Manifest]:
    found: list[Manifest] = []
    for path in sorted((K8S / folder).glob("*.yaml")):
        documents = [document for document in yaml.safe_load_all(path.read_text()) if document]
        found.extend(document for document in documents if document["kind"] != "Kustomization")
    return found


BASE = manifests("base")
PODS = [manifest for manifest in BASE if manifest["kind"] in {"Deployment", "Job"}]


def pod(manifest: Manifest) -> Manifest:
    return manifest["spec"]["template"]["spec"]


def containers() -> Iterator[Manifest]:
    for manifest in PODS:
        yield from pod(manifest)["containers"]


def named(kind: str, name: str) -> Manifest:
    (found,) = [item for item in BASE if item["kind"] == kind and item["metadata"]["name"] == name]
    return found


def test_the_base_holds_what_runs() -> None:
    kinds = {(item["kind"], item["metadata"]["name"]) for item in BASE}
    assert kinds >= {
        ("Deployment", "web"),
        ("Service", "web"),
        ("HorizontalPodAutoscaler", "web"),
        ("PodDisruptionBudget", "web"),
        ("Deployment", "worker"),
        ("HorizontalPodAutoscaler", "worker"),
        ("Deployment", "beat"),
        ("Job", "migrate"),
        ("PersistentVolumeClaim", "model-store"),
    }
    assert not [kind for kind, _name in kinds if kind == "Secret"], "secrets are made outside of the repository"


@pytest.mark.parametrize("path", sorted(K8S.rglob("kustomization.yaml")), ids=lambda path: path.parent.name)
def test_kustomizations_name_files_that_exist(path: Path) -> None:
    kustomization = yaml.safe_load(path.read_text())
    for resource in kustomization["resources"]:
        assert (path.parent / resource).exists(), resource
    for generator in kustomization["configMapGenerator"]:
        for name in generator.get("envs", []):
            assert (path.parent / name).is_file()


def test_selectors_match_the_pods_they_mean() -> None:
    for name in ("web", "worker", "beat"):
        labels = named("Deployment", name)["spec"]["template"]["metadata"]["labels"]
        assert named("Deployment", name)["spec"]["selector"]["matchLabels"] == labels
    web = named("Deployment", "web")["spec"]["template"]["metadata"]["labels"]
    assert named("Service", "web")["spec"]["selector"] == web
    assert named("PodDisruptionBudget", "web")["spec"]["selector"]["matchLabels"] == web


def test_autoscalers_own_the_number_of_pods() -> None:
    for name in ("web", "worker"):
        scaler = named("HorizontalPodAutoscaler", name)
        assert scaler["apiVersion"] == "autoscaling/v2"
        assert scaler["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        assert "replicas" not in named("Deployment", name)["spec"]


def test_there_is_one_clock() -> None:
    beat = named("Deployment", "beat")["spec"]
    assert (beat["replicas"], beat["strategy"]) == (1, {"type": "Recreate"})
    assert "beat" in pod(named("Deployment", "beat"))["containers"][0]["command"]


@pytest.mark.django_db
def test_probes_ask_addresses_that_the_site_answers(client: Client) -> None:
    (web,) = pod(named("Deployment", "web"))["containers"]
    ports = {port["name"] for port in web["ports"]}
    paths = set()
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        paths.add(web[probe]["httpGet"]["path"])
        assert web[probe]["httpGet"]["port"] in ports
    assert paths == {"/healthz/live", "/healthz/ready"}
    for path in paths:
        # As a probe asks: by the pod's address, over plain http.
        assert client.get(path, headers={"host": "10.0.0.7:8000"}).status_code == 200


def test_containers_run_without_privileges_and_within_limits() -> None:
    for manifest in PODS:
        security = pod(manifest)["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] > 0
        assert pod(manifest)["automountServiceAccountToken"] is False
    for container in containers():
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]


def test_every_mount_has_its_volume_and_the_settings_point_to_mounts() -> None:
    for manifest in PODS:
        volumes = {volume["name"] for volume in pod(manifest)["volumes"]}
        for container in pod(manifest)["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    settings = dict(line.split("=", 1) for line in (K8S / "base" / "settings.env").read_text().split())
    (worker,) = pod(named("Deployment", "worker"))["containers"]
    writable = {mount["mountPath"] for mount in worker["volumeMounts"] if not mount.get("readOnly")}
    assert {settings["MODEL_STORE"], settings["MODEL_CACHE"], settings["TRAINING_DIR"], "/tmp"} <= writable  # noqa: S108


def test_images_are_the_dockerfiles_targets() -> None:
    targets = set(re.findall(r"^FROM \S+ AS (\S+)$", (BASE_DIR / "Dockerfile").read_text(), re.MULTILINE))
    images = {container["image"] for container in containers()}
    assert images == {"animerec-web", "animerec-worker"}
    assert {image.removeprefix("animerec-") for image in images} <= targets


def test_the_dockerfile_checks_hashes_and_leaves_root() -> None:
    text = (BASE_DIR / "Dockerfile").read_text()
    assert re.search(r"^ARG BASE_IMAGE$", text, re.MULTILINE), "no base image is chosen by default"
    assert text.count("--require-hashes") == text.count(" install ") == 2
    for target in ("web", "worker"):
        stage = re.search(rf"^FROM app AS {target}$.*?(?=^FROM |\Z)", text, re.MULTILINE | re.DOTALL)
        assert stage
        assert "\nUSER 10001:10001\n" in stage[0]
    ignored = (BASE_DIR / ".dockerignore").read_text().split("\n")
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert f"!{source}" in ignored, f"{source} is copied, but .dockerignore keeps it out"


def pin(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "scripts/pin_images.py", *arguments]
    return subprocess.run(command, cwd=BASE_DIR, input=text, capture_output=True, text=True)


WEB = "      - image: animerec-web\n        name: web\n"


def test_pin_images_fills_in_digests() -> None:
    result = pin(WEB, f"animerec-web=some.example/animerec-web@{DIGEST}")
    assert result.returncode == 0
    assert result.stdout == f"      - image: some.example/animerec-web@{DIGEST}\n        name: web\n"


@pytest.mark.parametrize(
    ("text", "arguments", "reason"),
    [
        (WEB, (), "image animerec-web is not pinned"),
        (WEB, ("animerec-web=some.example/web:latest",), "by digest"),
        (WEB, ("animerec-web=some.example/web@sha256:123",), "by digest"),
        (WEB, ("animerec-web=",), "by digest"),
        ("", (f"animerec-web=some.example/web@{DIGEST}",), "no image"),
    ],
)
def test_pin_images_refuses_what_is_not_pinned(text: str, arguments: tuple[str, ...], reason: str) -> None:
    result = pin(text, *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("overlay", ["gke", "local"])
def test_overlays_render(overlay: str) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed: overlays are not rendered")
    result = subprocess.run([kubectl, "kustomize", str(K8S / "overlays" / overlay)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    rendered = list(yaml.safe_load_all(result.stdout))
    (config,) = [item for item in rendered if item["kind"] == "ConfigMap"]
    users = [item for item in rendered if item["kind"] in {"Deployment", "Job"}]
    for item in users:
        (container,) = pod(item)["containers"]
        assert {"configMapRef": {"name": config["metadata"]["name"]}} in container["envFrom"]
        assert not container["image"].endswith(":latest")
    assert {item["metadata"]["labels"]["app.kubernetes.io/component"] for item in rendered} == {
        "beat", "config", "migrate", "web", "worker",
    }, "the deployment applies manifests by this label"  # fmt: skip
    pinned = pin(result.stdout, f"animerec-web=a.example/web@{DIGEST}", f"animerec-worker=a.example/worker@{DIGEST}")
    # An overlay for one node runs images under a local tag, which never go into production.
    assert pinned.returncode == (2 if overlay == "local" else 0)


def test_the_pipeline_has_its_stages_in_order_and_deploys_from_main_only() -> None:
    text = (BASE_DIR / "Jenkinsfile").read_text()
    assert text.count("{") == text.count("}")
    stages = re.split(r"^        stage\('(\w+)'\) \{$", text, flags=re.MULTILINE)
    names, bodies = stages[1::2], stages[2::2]
    assert names == ["Test", "Build", "Push", "Deploy"]
    assert ".ci/run" in bodies[0]
    for name, body in zip(names[1:], bodies[1:], strict=True):
        assert "when { branch 'main' }" in body, name
    assert "pin_images.py" in bodies[3]
    for command in ("delete job migrate", "wait --for=condition=complete", "rollout status", "rollout undo"):
        assert command in bodies[3]
    assert re.search(r"^    post \{\n        always \{", text, re.MULTILINE)


def test_the_pipeline_holds_no_secret_and_no_moving_tag() -> None:
    text = (BASE_DIR / "Jenkinsfile").read_text()
    assert ":latest" not in text
    for name, default in re.findall(r"string\(name: '(\w+)', defaultValue: '([^']*)'", text):
        assert "." not in default, f"{name} names a host"
    assert not re.search(r"(?i)(password|token|secret)\s*[:=]\s*['\"][^'\"$]+['\"]", text)
