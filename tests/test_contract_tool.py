"""The table of claims and versions: what `tools/contract.py` reads, counts and says, without running any claim."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("contract_tool", ROOT / "tools" / "contract.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def case(name, outcome="", before=""):
    said = "".join(
        f'<property name="{key}" value="{value}"/>'
        for key, value in {"lessons": "02 08.7", "text": f"About {name}.", "before": before}.items()
    )
    return f'<testcase name="{name}"><properties>{said}</properties>{outcome}</testcase>'


def report(*cases):
    return f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>"


FAILED = '<failure message="assert 1 == 2&#10;more">trace</failure>'
SKIPPED = '<skipped message="no fork"/>'


def test_a_claim_holds_fails_or_is_skipped(tool):
    found = tool.read_report(report(case("test_a"), case("test_b", FAILED), case("test_c", SKIPPED)))
    assert [(one.name, one.outcome) for one in found] == [
        ("test_a", "holds"),
        ("test_b", "FAILS"),
        ("test_c", "skipped"),
    ]
    assert found[0].text == "About test_a."


@pytest.mark.parametrize("outcomes", [("", FAILED, ""), (FAILED, "", SKIPPED)])
def test_the_worst_case_of_a_claim_decides(tool, outcomes):
    cases = [case(f"test_a[{index}]", outcome) for index, outcome in enumerate(outcomes)]
    assert [(one.name, one.outcome) for one in tool.read_report(report(*cases))] == [("test_a", "FAILS")]


def test_a_test_that_is_no_claim_appears_only_when_it_fails(tool):
    plain = '<testcase name="test_names">{}</testcase>'
    assert tool.read_report(report(plain.format(""))) == []
    assert [one.outcome for one in tool.read_report(report(plain.format(FAILED)))] == ["FAILS"]


def test_a_claim_skipped_on_one_version_keeps_its_sentence(tool):
    skipped = tool.read_report(report(f'<testcase name="test_a">{SKIPPED}</testcase>'))
    table = tool.table({"1": skipped, "2": tool.read_report(report(case("test_a")))})
    assert table.splitlines()[1].split() == ["a", "02", "08.7", "skipped", "holds"]


def test_the_table_names_versions_differences_and_failures(tool):
    old = tool.read_report(report(case("test_same"), case("test_other", before="It was not so.")))
    new = tool.read_report(report(case("test_same", FAILED), case("test_other", before="It was not so.")))
    table = tool.table({"3.12.0": old, "3.16.0": new})
    lines = table.splitlines()
    assert lines[0].split() == ["claim", "lessons", "3.12.0", "3.16.0"]
    assert lines[1].split() == ["same", "02", "08.7", "holds", "FAILS"]
    assert "Keras 3.16.0 breaks 1 of 2:" in lines
    assert "It was not so." in table
    assert "assert 1 == 2" in table
    assert lines[-1] == "Keras 3.12.0: 2 of 2 hold, Keras 3.16.0: 1 of 2 hold"


def test_a_claim_unknown_to_one_version_shows_a_dash(tool):
    both = {"1": tool.read_report(report(case("test_a"))), "2": tool.read_report(report(case("test_b")))}
    assert [line.split()[-2:] for line in tool.table(both).splitlines()[1:3]] == [["holds", "-"], ["-", "holds"]]


def test_the_lock_names_keras(tool):
    assert tool.read_lock("kerasx==1\nkeras==3.15.1\n") == "3.15.1"
    assert tool.locked() == tool.read_lock((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    with pytest.raises(tool.ContractError, match="pins no Keras"):
        tool.read_lock("numpy==2\n")


def test_failures_give_exit_code_1_and_trouble_2(tool, monkeypatch, capsys):
    monkeypatch.setattr(tool, "environment", lambda version: Path(version))
    found = {"1.0": report(case("test_a")), "2.0": report(case("test_a", FAILED))}
    monkeypatch.setattr(tool, "hold", lambda python, version: tool.read_report(found[version]))
    assert tool.main(["--keras", "1.0"]) == 0
    assert tool.main(["--keras", "1.0", "2.0"]) == 1

    def no_network():
        raise tool.ContractError("The package index did not answer.")

    monkeypatch.setattr(tool, "newest", no_network)
    assert tool.main(["--newest"]) == 2
    assert "The package index did not answer." in capsys.readouterr().err
