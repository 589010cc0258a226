"""A sentence that a screen reader says when it changes; ipywidgets has none."""

from __future__ import annotations

import anywidget
import traitlets


class Status(anywidget.AnyWidget):
    """A line with the role `status`, whose element stays: only its text changes, and only when there is news.

    Attributes:
        says: The sentence.
        seen: Whether it can be seen too; if not, what it says stands on the page in another form.
    """

    _esm = """
    export default {
      render({ model, el }) {
        const line = document.createElement(model.get("seen") ? "b" : "div");
        const hidden = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)";
        line.setAttribute("role", "status");
        if (!model.get("seen")) line.style.cssText = hidden;
        el.append(line);
        const show = () => { if (line.textContent !== model.get("says")) line.textContent = model.get("says"); };
        model.on("change:says", show);
        show();
        return () => model.off("change:says", show);
      },
    };
    """
    says = traitlets.Unicode().tag(sync=True)
    seen = traitlets.Bool(False).tag(sync=True)
