"""Look at a whole site in Chromium, from disk and over loopback: `make site-check`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe

from course_site import _links, _search
from helpers import pitfalls, questions
from tests import barriers
from tests.search.corpus import texts

from .visit import Reader, answer, browser, loopback, move_slider, search, search_site

MEGABYTES, SECONDS = 25, 2.0
# All that a reader can uncover: outputs behind veils, outcomes, folds, the button that comes on the way up.
OPEN = """const end = '[data-course-outcome]';
for (const places of ['.course-veil button', `${end} > button`, `${end} .course-quiet`])
  for (const one of document.querySelectorAll(places)) one.click();
for (const one of document.querySelectorAll('details')) one.open = true;
document.getElementById('pst-back-to-top')?.style.setProperty('display', 'block', 'important');"""
ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Read the command line, look, and print what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.pages", description=__doc__)
    parser.add_argument("site", type=Path, nargs="?", default=ROOT / "build" / "site")
    site = parser.parse_args().site.resolve()
    if not (site / "index.html").is_file():
        print(f"There is no site in {site}: run `make site` first.", file=sys.stderr)
        return 1
    found = list(_links.problems(site))
    # What is loaded for a log alone is not part of the measure.
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file() and "pyodide" not in path.parts) / 1e6
    print(f"{len(list(site.glob('*.html')))} pages, {size:.1f} MB")
    if size >= MEGABYTES:
        found.append(f"The site has {size:.1f} MB; at most {MEGABYTES}.")
    with browser() as chromium, loopback(site) as address:
        for base in (site.as_uri(), address):
            print(f"== {base.split(':')[0]}")
            found += _look(Reader(chromium.new_context(), base), site)
        for scheme in ("light", "dark"):
            print(f"== barriers, {scheme}")
            found += _barriers(Reader(chromium.new_context(color_scheme=scheme), site.as_uri()), site)
    print(*(f"WRONG: {one}" for one in found), sep="\n")
    print(f"{len(found)} things are wrong." if found else "All is well.")
    return bool(found)


def _look(reader: Reader, site: Path) -> Iterator[str]:
    slowest = (0.0, "")
    for path in sorted(site.glob("*.html")):
        page = reader.open(path.name)
        slowest = max(slowest, (page.evaluate("performance.now()") / 1000, path.name))
        yield from (f"{path.name}: {id} is asked twice or never" for id in _odd(page.content()))
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            yield f"{path.name} is wider than its window"
        page.close()
    print(f"slowest to be ready: {slowest[1]}, {slowest[0]:.2f} of {SECONDS} s after its opening began")
    page = reader.open("05_choose_the_numbers.html")
    before, after = move_slider(page)
    if before == after:
        yield "the slider of lesson 05 does not move anything"
    yield from _predictions(reader, site)
    yield from _searches(reader)
    if not search_site(reader, "patience"):
        yield "the search of the site finds nothing for patience"
    yield from reader.faults


def _barriers(reader: Reader, site: Path) -> Iterator[str]:
    """Yield on every page what axe-core calls serious or critical, and what stands out too little from its ground."""
    for path in sorted(site.glob("*.html")):
        page = reader.open(path.name)
        for one in Axe().run(page).response["violations"]:
            if one["impact"] in ("serious", "critical"):
                yield f"{path.name}: {one['help']} ({one['id']}), first in {one['nodes'][0]['html'][:120]}"
        found = barriers.low(page)
        page.evaluate(OPEN)
        found += barriers.low(page) + barriers.rings(page) + barriers.twice(page)
        yield from (f"{path.name}: {one}" for one in dict.fromkeys(found))
        page.close()


def _odd(text: str) -> list[str]:
    asked, ended = (text.count(f"data-course-{what}=") for what in ("question", "outcome"))
    return [] if asked == ended else [f"{asked} questions and {ended} outcomes"]


def _predictions(reader: Reader, site: Path) -> Iterator[str]:
    """Answer every prediction of every page, in turn rightly and wrongly."""
    count = 0
    for path in sorted(site.glob("[0-9]*.html")):
        page = reader.open(path.name)
        ids = page.locator("[data-course-question]").evaluate_all("all => all.map((one) => one.dataset.courseQuestion)")
        for id in ids:
            asked = questions.prediction(id)
            index = asked.right if count % 2 else (asked.right + 1) % len(asked.answers)
            letter = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[index]
            wanted = f"You said {letter}, {'and that is right' if index == asked.right else 'which is not it'}"
            try:
                said = answer(page, id, letter)
            except Exception as error:
                yield f"{path.name}, {id}: {error}"
                continue
            if wanted not in said:
                yield f"{path.name}, {id}: {wanted!r} is not said: {said[:200]}"
            count += 1
        page.close()
    print(f"{count} predictions answered")


def _searches(reader: Reader) -> Iterator[str]:
    """Hold what the page finds for all texts that the search is measured with against what Python finds."""
    page = reader.open("08_pitfall_lab.html")
    yield from differences(page, [one.text for one in texts()])
    if not search(page, "it stops too early"):
        yield "the search of the lab shows nothing"
    page.close()


def differences(page: object, asked: list[str]) -> list[str]:
    """Return a sentence for each text for which the page finds something else than `pitfalls.find`."""
    found = page.evaluate("texts => texts.map(courseFind)", asked)
    table, sections = pitfalls.load(), _search.sections()
    wrong = []
    for text, here in zip(asked, found, strict=True):
        there = pitfalls.find(text)
        one = (
            [table[place] for place in here["pitfalls"]],
            [sections[place] for place in here["sections"]],
            here["fits"],
        )
        if one != (list(there.pitfalls), list(there.lessons), there.fits):
            wrong.append(f"the page finds something else for {json.dumps(text[:200])}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
