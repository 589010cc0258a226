"""What stands on a page in place of the widgets that need a kernel, and scripts of widgets for pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from course_site import _questions, _search
from helpers import _cards, data, explored
from helpers.widgets.predict import HERE

__all__ = ["PAGE_FORMS", "blocks", "classic"]

_EXPORT = "export default { render };"


def classic(file: str, name: str) -> str:
    """Return a widget's module as a script that binds `name`: a browser loads no module from disk.

    Raises:
        ValueError: the module does not export its `render` in the one line that is looked for.
    """
    text = (HERE / file).read_text(encoding="utf-8")
    if text.count(_EXPORT) != 1 or re.search(r"^import ", text, re.MULTILINE):
        raise ValueError(f"{file} must hold the line `{_EXPORT}` once, and import nothing.")
    return f"(() => {{\n{text.replace(_EXPORT, f'window.{name} = {{ render }};')}\n}})();\n"


def explorer(configuration: str = "digits-noise20", patience: int = 3) -> str:
    """Return the patience explorer over recorded runs, one for each seed, as HTML."""
    seen = {}
    for run in data.load_runs(configuration)[:3]:
        from helpers import history

        seen[run.name] = explored.Explored(history.read_history(run), least=patience)
    first = next(iter(seen.values()))
    return explored.block(explored.state_of(seen, patience), explored.static(first, patience))


def live() -> str:
    """Say that a live training needs a kernel, and show recorded ones under every patience in its place."""
    text = (
        "A fit that you steer while it runs needs a kernel: open this lesson in JupyterLab for it. Here are recorded "
        "runs of such a training in its place: drag patience, and see at which epoch each would have ended."
    )
    return _cards.card("", _cards.paragraphs(text), "note") + explorer()


PAGE_FORMS: Mapping[str, Callable[[], str]] = {
    "widgets.PitfallSearch()": _search.box,
    "widgets.LiveTraining(trainer)": live,
}


def blocks(text: str) -> dict[str, str]:
    """Return what a page of ours asks for by names such as `@PREDICT 00.a@`, each as a block of raw HTML."""
    made = {"EXPLORER": explorer, "SEARCH": _search.box}
    found = {name: make() for name, make in made.items() if f"@{name}@" in text}
    for id in re.findall(r"@PREDICT ([^@]+)@", text):
        found[f"PREDICT {id}"] = _questions.question(id)
    for id in re.findall(r"@OUTCOME ([^@]+)@", text):
        found[f"OUTCOME {id}"] = _questions.outcome(id)
    return {name: f"```{{raw}} html\n{html}\n```" for name, html in found.items()}
