"""A round in the arena as lesson 10 plays it: the guess and its answer, and functions that are still empty."""

from __future__ import annotations

import pytest
from capstone import recorded_report

from helpers import arena
from helpers.arena import _client, _run, _words


class NoKeeper:
    """Trains nothing."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def ask(self, payloads, rules, bar):
        return [], 0


@pytest.fixture(autouse=True)
def played(tmp_path, monkeypatch):
    """Let `arena.run` report what the reference whose name it is given came to when it was recorded."""
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(_client, "Keeper", NoKeeper)
    monkeypatch.setattr(_run, "judged", lambda name, *_: recorded_report(name))


def test_a_function_without_a_body_costs_nothing_and_says_so(capsys):
    def later(folder): ...

    assert arena.run(later, name="first") is None
    assert "Nothing to train yet" in capsys.readouterr().out
    assert arena.reports() == []


def test_a_report_answers_the_guess(capsys):
    first = arena.run(arena.baseline, name="baseline", guess=10)
    assert (first.guess, first.before) == (10.0, None)
    assert "guessed" not in capsys.readouterr().out
    second = arena.run(arena.baseline, name="first", guess=20)
    change = second.score - first.score
    assert f"You guessed +20. It is {change:+.0f} points against your best run before it." in capsys.readouterr().out
    third = arena.run(arena.baseline, name="baseline", guess=...)
    assert third.guess is None
    assert third.before == pytest.approx(second.score)
    assert f"It is {first.score - second.score:+.0f} points against" in capsys.readouterr().out
    kept = arena.reports()
    assert [(one.guess, one.before) for one in kept] == [
        (10.0, None), (20.0, round(first.score, 1)), (None, round(second.score, 1))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("guess", "change", "noise", "words"),
    [
        (10, 12, 4, "A good guess."),
        (10, 20, 4, "Which part did you misjudge?"),
        (10, -8, 4, "It went the other way"),
        (-10, 8, 4, "It went the other way"),
        (10, -2, 4, "which may be chance. Which part did you misjudge?"),
        (0, 2, 4, "A good guess."),
        (2, -0.5, 0, "A good guess."),
    ],
)
def test_what_is_said_of_a_guess(guess, change, noise, words):
    assert words in _words.compared(change, guess, noise)


@pytest.mark.parametrize("guess", ["up", True, float("nan"), [10]])
def test_a_guess_is_a_number(guess):
    with pytest.raises(TypeError, match=r"guess=\+10"):
        arena.run(arena.baseline, guess=guess)


def test_the_recordings_are_the_references_in_their_order():
    recorded = arena.recordings()
    assert list(recorded) == ["baseline", "first", "second", "third"]
    assert {len(report.by_seed) for report in recorded.values()} == {20}
    means = [sum(report.by_seed) / 20 for report in recorded.values()]
    assert means == sorted(means)
