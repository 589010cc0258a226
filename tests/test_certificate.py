"""The certificate: what it says of much, of half and of nothing, and that it stands for itself on one page."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from capstone import recorded_report

from helpers import arena, certificate, questions
from helpers.checks import _progress


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "records" / "progress.json"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer(lesson: str, *, wrong: int = 0, late: int = 0) -> None:
    """Solve and answer all of a lesson, the first `wrong` predictions wrongly, the last `late` after their run."""
    texts = questions.load(lesson)
    for name in texts.exercises:
        _progress.record_check(name, solved=True)
    for number, (name, one) in enumerate(texts.predictions.items()):
        index = one.right if number >= wrong else (one.right + 1) % len(one.answers)
        if number >= len(texts.predictions) - late:
            _progress.record_reveal(name)
        _progress.record_prediction(name, index, one.answers[index].text, one.answers[index].right)


def read(written) -> str:
    return written.file.read_text(encoding="utf-8")


def words(page: str) -> str:
    """Return what a person reads."""
    text = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def row(page: str, lesson: str) -> list[str]:
    [found] = [one for one in re.findall(r"<tr>.*?</tr>", page) if re.search(rf">{lesson} ", one)]
    return [html.unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", found)][1:]


def test_nothing_done_writes_nothing_and_says_so(here, capsys):
    written = certificate.write()
    assert written.file is None
    assert "nothing to certify yet" in str(written)
    assert "nothing to certify yet" in written.to_html()
    assert certificate.main([]) == 0
    assert "nothing to certify yet" in capsys.readouterr().out
    assert list(here.rglob("*.html")) == []


def test_lessons_without_the_capstone():
    answer("02", wrong=1, late=1)
    _progress.record_check("03.1", solved=True)
    _progress.record_check("04.1", solved=False, credit=0.5)
    page = read(certificate.write())
    two, three = questions.load("02"), questions.load("03")
    made = len(two.predictions) - 1
    assert row(page, "02") == [
        "done",
        f"{len(two.exercises)} of {len(two.exercises)}",
        f"{made} of {made + 1}, {made - 1} right",
    ]
    assert row(page, "03") == ["begun", f"1 of {len(three.exercises)}", f"0 of {len(three.predictions)}"]
    assert row(page, "04")[0] == "begun"
    text = words(page)
    assert f"1 of {len(questions.lessons())} lessons done" in text
    assert f"{made} predictions committed before the run, {made - 1} of them right" in text
    assert "Not counted: 1 prediction answered after the run." in text
    assert "Not begun: 00, 01, 05" in text
    assert "No report yet" in text
    assert "<img" not in page


def test_the_capstone_without_lessons(monkeypatch):
    reports = [recorded_report("baseline"), best := recorded_report("third", name="the one"), recorded_report("first")]
    monkeypatch.setattr(arena, "reports", lambda: reports)
    page = read(certificate.write("Ada <Lovelace>\n"))
    text = words(page)
    assert f"{best.score:.0f} of 100 points" in text
    assert "The best of 3 runs: the one, on 2026-11-25." in text
    assert "No prediction committed and no exercise solved yet." in text
    assert "Ada <Lovelace>" in text
    assert "<Lovelace>" not in page
    for part in best.parts:
        assert f"{part.name} {part.points:.0f} of {part.most:.0f} {part.measured}" in text
    [picture] = re.findall(r"<img[^>]*>", page)
    assert "the one" in re.search(r'alt="([^"]*)"', picture)[1]


def test_it_says_what_it_proves_when_and_on_what():
    answer("00")
    text = words(read(certificate.write()))
    assert "what that machine saw and no more" in text
    assert re.search(r"\b20\d\d-\d\d-\d\d\b", text)
    for name in ("Python 3.", "Keras 3.", "TensorFlow 2.", "this course"):
        assert name in text


class Addresses(HTMLParser):
    """Collects all that a page would fetch or run, and whether its tags close."""

    def __init__(self):
        super().__init__()
        self.found, self.open = [], []

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name in ("src", "href", "srcset", "action")]
        self.found += [tag for _ in [0] if tag in ("script", "link", "iframe")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_stands_for_itself_in_light_colours_on_a4(monkeypatch):
    monkeypatch.setattr(arena, "reports", lambda: [recorded_report("second")])
    answer("03")
    page = read(certificate.write())
    seen = Addresses()
    seen.feed(page)
    assert seen.open == []
    assert [address[:15] for address in seen.found] == ["data:image/png;"]
    assert not re.search(r"url\(|@import|http", page)
    assert "color-scheme: light" in page
    assert "prefers-color-scheme" not in page
    assert re.search(r"@page \{ size: A4", page)


def test_no_certificate_is_ever_replaced(here):
    answer("00")
    first = certificate.write()
    before = read(first)
    answer("01")
    second, third = certificate.write("Ada"), certificate.write()
    assert len({first.file, second.file, third.file}) == 3
    assert read(first) == before != read(second)
    assert {path.parent.name for path in here.rglob("*.html")} == {"certificates"}


def test_the_card_leads_to_the_page():
    answer("00")
    written = certificate.write()
    [address] = re.findall(r'href="([^"]+)"', written.to_html())
    assert written.file.as_posix() == address
    assert str(written.file) in str(written)


def test_where_nothing_can_be_written_it_says_what_to_do(here, capsys):
    answer("00")
    (here / "taken").write_text("a file")
    with pytest.raises(OSError, match=r"certificate\.write\(folder="):
        certificate.write(folder="taken")
    assert certificate.main(["--folder", "taken"]) == 1
    assert "cannot be written" in capsys.readouterr().err
    with pytest.raises(TypeError, match="text"):
        certificate.write(7)


def test_the_command_writes_it_and_loads_no_tensorflow(here):
    answer("00")
    code = (
        "import sys; from helpers import certificate; "
        "certificate.main(['--name', 'Ada']); print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=here)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "set()"
    [file] = here.rglob("*.html")
    assert file.name in done.stdout
    assert ">Ada<" in file.read_text(encoding="utf-8")
