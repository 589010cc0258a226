from __future__ import annotations

import pytest

from helpers import programs


def program(tmp_path, text):
    file = tmp_path / "program.py"
    file.write_text(text)
    return file


def test_lines_come_as_they_are_printed_and_a_kill_ends_them(tmp_path):
    file = program(
        tmp_path,
        """
import sys, time
print("argument", sys.argv[1])
print("half", end="")
time.sleep(60)
""",
    )
    running = programs.start(file, 7)
    assert next(iter(running)) == "argument 7"
    assert running.kill() == []
    assert list(running) == []


def test_a_program_ends_by_itself_and_finds_what_lies_beside_it(tmp_path):
    (tmp_path / "beside_it.py").write_text("WORD = 'found'")
    file = program(tmp_path, "from beside_it import WORD\nprint(WORD, __name__)\n")
    assert programs.start(file).wait() == ["found __main__"]


def test_an_error_comes_back_as_its_traceback(tmp_path):
    with pytest.raises(RuntimeError, match=r"(?s)ended with an error.*ZeroDivisionError"):
        programs.start(program(tmp_path, "1 / 0")).wait()
