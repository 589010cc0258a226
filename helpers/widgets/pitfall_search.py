"""A box to paste an error into: the troubles that fit stand below as one types. Thin, over `helpers.pitfalls`."""

from __future__ import annotations

import ipywidgets

from helpers import pitfalls
from helpers.widgets._status import Status

# More than the longest traceback has; whatever is longer is cut at both ends, since an error stands at one of them.
MOST_CHARACTERS = 40_000


class PitfallSearch(ipywidgets.VBox):
    """A text box over the results of `pitfalls.find`.

    Attributes:
        box: where a person types or pastes.
        status: a sentence on the result, which screen readers announce.
        results: an output area, so that JupyterLab opens the links in it as it opens those of a cell.
    """

    def __init__(self) -> None:
        self.box = ipywidgets.Textarea(
            description="Your error, or what you see:",
            placeholder="Paste a whole traceback, a warning, or say it in your words",
            rows=6,
            continuous_update=True,
            style={"description_width": "initial"},
            layout={"width": "100%", "max_width": "60em"},
        )
        self.status = Status()
        self.results = ipywidgets.Output()
        super().__init__([self.box, self.status, self.results])
        self.box.observe(self._search, "value")

    def _search(self, change: dict) -> None:
        text = change["new"]
        if len(text) > MOST_CHARACTERS:
            text = f"{text[: MOST_CHARACTERS // 2]}\n{text[-MOST_CHARACTERS // 2 :]}"
        if not any(map(str.isalpha, text)):
            self.results.outputs, self.status.says = (), ""
            return
        found = pitfalls.find(text)
        data = {"text/plain": str(found), "text/html": found.to_html()}
        self.results.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)
        self.status.says = found.summary
