"""One list of checks: `make check`, CI and the hooks of pre-commit run the same."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import check  # noqa: E402


def test_the_hooks_are_the_checks():
    (repository,) = YAML(typ="safe").load(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    assert [hook["id"] for hook in repository["hooks"]] == list(check.CHECKS)
    for hook in repository["hooks"]:
        assert (hook["language"], hook["entry"]) == ("system", f"make --silent check ARGS={hook['id']}")
        assert hook["always_run"] is True
        assert hook["pass_filenames"] is False


def test_make_and_ci_run_all_of_them():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^check: test-env.*\n\t@\$\(BIN\)/python tools/check\.py \$\(ARGS\)\n\n", makefile, re.MULTILINE)
    assert re.search(r"^make check$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert "run: make check\n" in (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")


def test_a_failed_check_is_named_and_the_others_still_run(monkeypatch, capfd):
    ran = {
        "first": ("-c", "print('one')"),
        "second": ("-c", "raise SystemExit(3)"),
        "third": ("-c", "print('three')"),
    }
    monkeypatch.setattr(check, "CHECKS", ran)
    assert check.main(["first", "third"]) == 0
    assert check.main([]) == 1
    told = capfd.readouterr()
    assert told.out.split() == ["one", "three"] * 2
    assert told.err == "Not in order: second.\n"
