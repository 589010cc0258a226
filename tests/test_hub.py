"""The settings for a JupyterHub load, and follow from what `make classroom` measured."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

ROOT = Path(__file__).resolve().parents[1]
HUB = ROOT / "hub"
GIGABYTE = 1024**3
MEASURED = tomllib.loads((HUB / "measured.toml").read_text(encoding="utf-8"))


def settings(name: str) -> Config:
    """Load a file of settings as JupyterHub does."""
    return PyFileConfigLoader(name, path=str(HUB)).load_config()


@pytest.fixture(scope="module")
def course() -> Config:
    return settings("course.py")


def kubernetes() -> dict:
    return YAML(typ="safe").load(HUB / "values.yaml")


def in_bytes(size: str) -> int:
    return int(size.removesuffix("G")) * GIGABYTE


def test_a_class_was_measured():
    """20 learners on two cores, none of whom failed with these settings."""
    lesson = MEASURED["lesson02"]
    assert (lesson["learners"], lesson["cores"], lesson["failures"]) == (20, 2, 0)


def test_servers_are_given_the_time_that_they_need(course):
    lesson = MEASURED["lesson02"]
    given, at_once = course.Spawner.http_timeout, course.JupyterHub.concurrent_spawn_limit
    assert at_once > 2 * lesson["learners"]
    assert given > 2 * at_once * lesson["server_processor_seconds"] / lesson["cores"]
    assert given > 2 * lesson["server_seconds"]
    assert course.Spawner.start_timeout >= given


def test_the_limits_hold_what_was_measured(course):
    limit = in_bytes(course.Spawner.mem_limit) / 1e9
    assert limit > 1.5 * max(table["memory_alone"] for table in MEASURED.values())
    assert limit > 1.5 * MEASURED["lesson10"]["memory_peak"]
    guaranteed = in_bytes(kubernetes()["singleuser"]["memory"]["guarantee"]) / 1e9
    assert limit > guaranteed > 1.2 * MEASURED["lesson02"]["memory_alone"]


def test_what_is_said_was_measured():
    lesson, arena = MEASURED["lesson02"], MEASURED["lesson10"]
    comments = re.sub(r"\n# ", " ", (HUB / "course.py").read_text(encoding="utf-8"))
    for said in (
        f"takes {lesson['server_processor_seconds']:.1f} s of a processor",
        f"after {lesson['server_seconds']:.0f} s",
        f"lesson 02 take {lesson['memory_alone']:.2f} GB",
        f"arena {arena['memory_peak']:.2f} GB",
        f"takes {lesson['lesson_processor_seconds']:.0f} s of a processor in all",
    ):
        assert said in comments
    teaching = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
    assert f"{lesson['memory_all']:.0f} GB" in teaching
    assert f"{lesson['memory_mean']:.2f} GB" in teaching


def test_kubernetes_has_the_same_settings(course):
    values = kubernetes()
    learner, hub = values["singleuser"], values["hub"]
    assert hub["concurrentSpawnLimit"] == course.JupyterHub.concurrent_spawn_limit
    assert hub["config"]["KubeSpawner"]["http_timeout"] == course.Spawner.http_timeout
    assert learner["startTimeout"] >= course.Spawner.start_timeout
    assert (learner["memory"]["limit"], learner["cpu"]["limit"]) == (course.Spawner.mem_limit, course.Spawner.cpu_limit)
    assert learner["cpu"]["guarantee"] == MEASURED["lesson02"]["cores"] / MEASURED["lesson02"]["learners"]
    assert learner["extraEnv"] == course.Spawner.environment.get_value({})


def test_a_hub_of_your_own_has_the_settings_of_the_course(course):
    own = settings("jupyterhub_config.py")
    for name in ("http_timeout", "start_timeout", "mem_limit", "cpu_limit"):
        assert own.Spawner[name] == course.Spawner[name]
    assert own.Spawner.environment.get_value({}) == course.Spawner.environment.get_value({})
    assert own.JupyterHub.concurrent_spawn_limit == course.JupyterHub.concurrent_spawn_limit
    assert own.Spawner.cmd == [sys.executable, "-m", "jupyterhub.singleuser"]
    (service,) = own.JupyterHub.services.get_value([])
    assert f"--timeout={kubernetes()['cull']['timeout']}" in service["command"]
    (role,) = own.JupyterHub.load_roles.get_value([])
    assert role["services"] == [service["name"]]


def test_the_proxy_is_pinned_and_found_where_npm_puts_it():
    wanted = json.loads((HUB / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", wanted["configurable-http-proxy"])
    (command,) = settings("jupyterhub_config.py").ConfigurableHTTPProxy.command
    assert Path(command) == HUB / "node_modules" / ".bin" / "configurable-http-proxy"
    assert "npm install --prefix hub " in (ROOT / "Makefile").read_text(encoding="utf-8")
