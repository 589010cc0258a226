"""The site without running a lesson: what pages are made of, then all of it built and looked at from disk."""

from __future__ import annotations

import html
import json
import os
import re

import nbformat
import pytest

from course_site import _glossary, _links, _run
from helpers import course, pitfalls, questions
from helpers.questions import ROOT
from tests import chromium

pytest.importorskip("pygments")
sphinx = pytest.importorskip("sphinx", reason="Sphinx is not installed: `make test` installs it")
pytest.importorskip("myst_nb", reason="myst-nb is not installed: `make test` installs it")

from course_site import _build, _page, _questions, _search, _sentences, _single, _widgets  # noqa: E402


def lesson(*cells: tuple[str, list[dict]]) -> nbformat.NotebookNode:
    """Make a notebook that was run: a heading, then code with the data of each output."""
    code = [
        nbformat.v4.new_code_cell(
            source, outputs=[nbformat.v4.new_output("display_data", data=data) for data in outputs]
        )
        for source, outputs in cells
    ]
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# A lesson"), *code],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )


WIDGET = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "IntSlider(value=5)"}


@pytest.mark.parametrize(
    ("link", "page"),
    [
        ("[a](02_early_stopping.ipynb)", "[a](02_early_stopping.html)"),
        ("[a](08b_saving.ipynb#cell-id=4-The-name)", "[a](08b_saving.html#4-The-name)"),
        ("[a](#cell-id=The-core)", "[a](#The-core)"),
        ('<a href="08_pitfall_lab.ipynb#cell-id=1-A">a</a>', '<a href="08_pitfall_lab.html#1-A">a</a>'),
        ("[a](https://example.org/02_early_stopping.ipynb)", "[a](https://example.org/02_early_stopping.ipynb)"),
        ("`02_early_stopping.ipynb` (#here)", "`02_early_stopping.ipynb` (#here)"),
        ("[a](#plain)", "[a](#plain)"),
        ('saved: <a href="certificates/a.html" target="_blank">a <b>page</b></a>.', "saved: a <b>page</b>."),
    ],
)
def test_links_to_notebooks_become_links_to_pages(link, page):
    assert _page.to_page(link) == page


def test_no_output_of_a_page_is_a_widget():
    made = _page.page(lesson(("slider", [WIDGET, {**WIDGET, "text/html": "<b>moves</b>"}])), {})
    outputs = made.cells[2].outputs
    assert [list(output.data) for output in outputs] == [["text/html"]] * 2
    assert "IntSlider(value=5)" in html.unescape(outputs[0].data["text/html"])
    assert outputs[1].data["text/html"] == "<b>moves</b>"


# What the reader of a page cannot do.
_BEFORE = r"(?:\b[Tt]hen |\b[Ff]irst |[:,] |^|[.!?(] |\*\*)"
TO_RUN = re.compile(
    rf"[Ss]hift\+[Ee]nter|{_BEFORE}(?:[Rr]e-?)?[Rr]un (?:it|them|on|all|the|this|that|every|each)\b|menu \*|"
    r"\b[Mm]ake a new cell|[Ii]n a new cell|\b[Pp]ress (?:\*\*|Esc|Enter)|\b[Cc]hange (?:this|the) (?:cell|line|code)",
    re.MULTILINE,
)


def prose() -> dict[str, list[str]]:
    """Return the Markdown cells of both editions by notebook."""
    paths = [path for edition in ("", "solutions") for path in (ROOT / "notebooks" / edition).glob("[0-9]*.ipynb")]
    read = {str(path.relative_to(ROOT)): json.loads(path.read_text(encoding="utf-8"))["cells"] for path in paths}
    return {name: ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"] for name, cells in read.items()}


def test_no_page_tells_its_reader_to_run_something():
    every = prose()
    told = [
        (name, found[0], cell)
        for name, cells in every.items()
        for cell in cells
        if not cell.startswith("> **Teaching note**") and (found := TO_RUN.search(_sentences.to_reader(cell)))
    ]
    assert told == []
    lessons = "\n\n".join(cell for cells in every.values() for cell in cells)
    assert [pattern.pattern for pattern, _ in _sentences.table() if not pattern.search(lessons)] == []


def test_a_cell_of_which_nothing_is_left_is_left_out():
    notebook = lesson(("1", []))
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell("Twenty  epochs are\nordered. Run it and count."))
    notebook.cells.insert(2, nbformat.v4.new_markdown_cell(_sentences.FILE.read_text(encoding="utf-8").split('"""')[1]))
    sources = [cell.source for cell in _page.page(notebook, {}).cells]
    assert sources[2:] == ["Twenty epochs are ordered. Count those that ran.", "1"]


def test_the_outcome_stands_where_the_run_revealed_it_and_the_call_is_gone():
    run = ('print("six")\nwidgets.reveal("02.a")', [{"text/plain": "six"}, {"text/html": "B is right"}])
    cell = _page.page(lesson(run), {}).cells[2]
    assert cell.source == 'print("six")'
    assert [output.data.get("text/plain", "") for output in cell.outputs] == ["six", ""]
    assert 'data-course-outcome="02.a"' in cell.outputs[1].data["text/html"]


def texts_of(id: str) -> dict:
    found = re.search(r"<script[^>]*>(.*)</script>", _questions.question(id), re.DOTALL)
    return json.loads(found[1])


EVERY_PREDICTION = [id for name in questions.lessons() for id in questions.load(name).predictions]


def test_every_prediction_has_its_texts_and_tells_nothing_before_its_time():
    for id in EVERY_PREDICTION:
        asked, texts = questions.prediction(id), texts_of(id)
        assert len(texts["answers"]) == len(asked.answers) == len(texts["outcomes"])
        for index, outcome in enumerate(texts["outcomes"]):
            right = re.search(r"You said <strong>.</strong>, and that is right", outcome["html"])
            assert bool(right) == (index == asked.right)
        assert "right" not in " ".join(texts["committed"])
        # What stands on the page where no script runs: the question with its answers, and the outcome in a fold.
        plain = re.sub(r"<script.*</script>", "", _questions.question(id), flags=re.DOTALL)
        assert "is right" not in plain
        assert "is right" in _questions.outcome(id).partition("<details>")[2]


def test_a_text_cannot_end_the_script_that_holds_it():
    assert _questions._json("</script><!--") == '"\\u003c/script>\\u003c!--"'


def test_an_exercise_has_each_hint_in_a_fold_and_the_answer_of_the_solutions_edition():
    folds = _questions.folds("02.1")
    assert folds.count("<details") == len(questions.exercise("02.1").hints) + 1
    assert "restore_best_weights" in folds
    assert "One answer" not in _questions.folds("02.1", answer=False)


def test_the_glossary_names_lessons_that_are_there_and_each_term_is_found():
    numbers = {re.match(r"\d\d[a-z]?", file)[0] for one in course.course_map().lessons for file in one.files}
    prose = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "notebooks" / "source").glob("*.py"))
    for term in _glossary.terms():
        assert term.lesson in numbers, term.name
        assert re.search(term.pattern, prose), term.name
    assert re.fullmatch(_glossary.Term("`wait`", "", "02").pattern, "wait")
    assert not re.search(_glossary.Term("step", "", "01").pattern, "step-by-step, steps, misstep")


def test_a_bad_entry_of_the_glossary_is_named(tmp_path):
    file = tmp_path / "glossary.toml"
    file.write_text('[[term]]\nname = "epoch"\nlesson = "01"\n', encoding="utf-8")
    with pytest.raises(ValueError, match="'epoch': each term has"):
        _glossary.terms(file)


def test_a_run_is_kept_until_something_it_depends_on_changes(tmp_path, monkeypatch):
    notebook = tmp_path / "a.ipynb"
    code = 'import os\nfrom pathlib import Path\nprint(Path("x").absolute(), os.environ["COURSE_PROGRESS"])'
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), notebook)
    [(_, first)] = _run.executed([notebook], tmp_path / "cache")
    # Nothing of the folders of this machine is in it.
    assert first.cells[0].outputs[0].text == f"notebooks{os.sep}x progress.json\n"
    monkeypatch.setattr(_run, "_run", lambda *_: pytest.fail("it was kept"))
    [(_, again)] = _run.executed([notebook], tmp_path / "cache")
    assert again == first


def test_links_that_lead_nowhere_and_things_from_elsewhere_are_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<h1 id="top">A</h1><a href="b.html#there">1</a><a href="c.html">2</a><a href="#no">3</a><a href="#top">4</a>'
        '<a href="https://keras.io">5</a><script src="https://cdn.example/x.js"></script><img src="data:image/png,">'
    )
    (tmp_path / "b.html").write_text('<p id="here"></p><img src="x.png"><link rel="stylesheet" href="s.css">')
    (tmp_path / "s.css").write_text('@import "https://fonts.example/a.css"; p {background: url(data:a)}')
    assert _links.problems(tmp_path) == [
        "a.html: b.html#there leads to no place on that page",
        "a.html: c.html leads to no file",
        "a.html: #no leads to no place on that page",
        "a.html fetches https://cdn.example/x.js from elsewhere",
        "b.html fetches x.png, which is not there",
        "s.css fetches https://fonts.example/a.css from elsewhere",
    ]


def test_the_buttons_go_by_the_address(monkeypatch):
    assert _build.launch(["00_start_here"]) == {} or course.course_map().address.repository
    address = course.Address("ada/callbacks", hub="https://hub.example.org")
    monkeypatch.setattr(course, "course_map", lambda: course.CourseMap((), address=address))
    [[binder, hub]] = _build.launch(["00_start_here"]).values()
    assert binder[:2] == ["Binder", address.binder("notebooks/00_start_here.ipynb")]
    assert hub[:2] == ["JupyterHub", address.nbgitpuller("notebooks/00_start_here.ipynb")]


def test_a_script_from_a_module_needs_the_one_line():
    assert "window.coursePrediction = { render };" in _widgets.classic("predict.js", "coursePrediction")
    with pytest.raises(ValueError, match=r"field\.js must hold the line"):
        _widgets.classic("field.js", "courseField")


def page_of(one) -> str:
    """Return the address of a trouble or of a section on the site."""
    return _page.to_page(f'href="{one.link}"')[6:-1]


# -- the site, without runs ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build all pages from notebooks that were not run; links and anchors are as they will be."""
    place = tmp_path_factory.mktemp("site")
    notebooks = {path.stem: nbformat.read(path, 4) for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))}
    _build.write_sources(place / "source", notebooks)
    _build.run_sphinx(place / "source", place / "site", launch={})
    return place / "site"


def test_every_link_and_anchor_of_the_site_leads_somewhere(site):
    assert _links.problems(site) == []
    text = (site / "02_early_stopping.html").read_text(encoding="utf-8")
    assert text.count('href="glossary.html#term-patience"') == 1
    # The search makes its links in the page, where the above does not see them.
    pages = {path.name: _links.Page(path.read_text(encoding="utf-8")) for path in site.glob("08*.html")}
    for trouble in pitfalls.load():
        name, _, anchor = page_of(trouble).partition("#")
        assert anchor in pages[name].ids


def test_one_file_holds_all_that_its_page_needs(site, tmp_path):
    made = _single.write(site, tmp_path / "one-file")
    assert {path.name for path in made} >= {"02_early_stopping.html", "08_pitfall_lab.html"}
    for path in made:
        page = _links.Page(path.read_text(encoding="utf-8"))
        assert page.fetched == []
    assert _links.problems(tmp_path / "one-file") == []


def test_from_disk_a_prediction_is_answered_the_slider_moves_and_the_search_finds(site):
    pytest.importorskip("playwright.sync_api")
    from tests.pages import visit
    from tests.pages.__main__ import differences
    from tests.search.corpus import texts

    if chromium.find() is None:
        (pytest.fail if os.environ.get("COURSE_REQUIRE_BROWSER") else pytest.skip)(chromium.MISSING)
    with visit.browser() as browser:
        reader = visit.Reader(browser.new_context(), site.as_uri())
        page = reader.open("02_early_stopping.html")
        assert "You said B, which is not it" in visit.answer(page, "02.a", "B")
        page.reload()
        assert "You said B, which is not it" in page.locator('[data-course-outcome="02.a"]').inner_text()
        before, after = visit.move_slider(reader.open("index.html"))
        assert before != after
        page = reader.open("08_pitfall_lab.html")
        found = visit.search(page, "the file name must end in .keras")
        assert found[0] == page_of(pitfalls.load()[3])
        # All of the texts are asked by `make site-check`.
        assert differences(page, [one.text for one in texts()][::12]) == []
        assert visit.search_site(reader, "patience")
        assert reader.faults == []


def test_what_is_only_like_a_pattern_of_python_is_told_apart():
    for pattern in (r"\bno (?:effect|change)\b", r"[\w.-]+\{x\}", r"(?P<a>x)#?", r"[]a^]+", r"\S{2,3}\s\d"):
        source, flags = _search.javascript(re.compile(pattern))
        assert "(?P" not in source
        assert flags == "gu"
    verbose = re.compile(r"a \s b  # a comment", re.VERBOSE | re.IGNORECASE)
    assert _search.javascript(verbose) == [r"a\sb", "gui"]
