"""Walk through lessons in JupyterLab by the keyboard alone: `python -m tests.browser.keyboard 00 01 02 03 04 05`.

Shift+Enter runs a cell; Shift+Tab and Tab lead into what it gave and out again; what stands there is used: answers are
chosen and committed to, sliders moved, numbers typed, folds opened, a hint asked for. Of each thing that had the focus
the walk notes its name, as Chromium tells it to a screen reader, and whether the focus could be seen. At the end all
that the lesson shows is held against the measures of contrast, in both themes, and texts that would be read twice are
named.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests import barriers, chromium
from tests.browser.conftest import PANEL, Lab, serving

# As low as a laptop's screen: what is off it must come into sight by itself.
ROOM = {"width": 1366, "height": 768}
MOST_STEPS = 120
_SCRIPT = Path(__file__).with_suffix(".js")


@dataclass(frozen=True)
class Stop:
    """Something that has the focus."""

    key: str
    cell: int
    active: int
    area: str
    tag: str
    type: str
    text: str
    in_sight: bool
    name: str
    role: str

    def __str__(self) -> str:
        kind = " ".join(filter(None, [self.tag, self.type, self.role]))
        return f"cell {self.cell}, {self.area}: {kind} {self.name or self.text!r}"


@dataclass
class Walk:
    """One lesson, walked through.

    Attributes:
        stops: all that had the focus within the notebook's outputs, by how it is shown to a person.
        faults: a sentence for each thing without a name, without a visible focus, and for each trap.
    """

    lab: Lab
    stops: dict[str, Stop] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    hinted: bool = False

    def __post_init__(self) -> None:
        self.page: Page = self.lab.page
        self.keys = self.page.keyboard
        self.cdp = self.page.context.new_cdp_session(self.page)
        self.cdp.send("Accessibility.enable")
        barriers.install(self.page)
        self.page.evaluate(_SCRIPT.read_text(encoding="utf-8"))

    # -- what has the focus -----------------------------------------------------------------------------------------

    def here(self) -> Stop:
        """Return what has the focus, and note it if it has no name."""
        found = self.cdp.send("Runtime.evaluate", {"expression": "document.activeElement"})["result"]["objectId"]
        [node] = self.cdp.send("Accessibility.getPartialAXTree", {"objectId": found, "fetchRelatives": False})["nodes"]
        name, role = (str(node.get(what, {}).get("value", "")).strip() for what in ("name", "role"))
        stop = Stop(**self.page.evaluate("courseWalk.where()"), name=name, role=role)
        if stop.area == "output" and str(stop) not in self.stops:
            self.stops[str(stop)] = stop
            if not stop.name:
                self.fault(f"{stop} has no name")
            if not stop.in_sight:
                self.fault(f"{stop} is off the screen")
        return stop

    def fault(self, sentence: str) -> None:
        """Note what is wrong, once."""
        if sentence not in self.faults:
            self.faults.append(sentence)

    def step(self, key: str) -> Stop:
        """Move the focus by Tab or Shift+Tab, and judge how it showed where it was."""
        before = self.here()
        self.page.evaluate("courseBarriers.hold()")
        self.keys.press(key)
        self.page.wait_for_timeout(30)
        value = self.page.evaluate("courseBarriers.left()")
        if before.area == "output" and value < 3 - 0.005:
            self.fault(f"{before}: its focus cannot be seen ({value:.2f})")
        return self.here()

    # -- the way ------------------------------------------------------------------------------------------------------

    def walk(self) -> None:
        """Go from the first cell to the last."""
        self.enter()
        if (value := self.page.evaluate("courseWalk.bar()")) < 3:
            self.fault(f"the bar beside the active cell has a contrast of {value:.2f}")
        last = len(self.lab.sources()) - 1
        index = 0
        while index <= last:
            source = self.lab.sources()[index]
            if re.match(r"# Exercise \d", source):
                self.write(index)
            self.keys.press("Shift+Enter")
            self.lab.wait_idle()
            self.page.wait_for_timeout(150)
            if self.here().area == "output":
                self.say()
            if index < last:
                self.stand_on(index + 1)
            if self.stops_of(index):
                self.visit(index)
                if index < last:
                    self.stand_on(index + 1)
            if "checks.check(" in source and not self.hinted and index < last:
                self.hint(index + 1)
                index, last = index + 1, last + 1
            index += 1

    def enter(self) -> None:
        """Come into the notebook from wherever the focus is, and to its first cell."""
        for _ in range(MOST_STEPS):
            if self.here().cell >= 0:
                break
            self.keys.press("Tab")
        else:
            self.fault("by Tab alone nobody comes into the notebook")
        self.keys.press("Escape")
        self.stand_on(0)

    def stand_on(self, index: int) -> None:
        """Stand on a cell in command mode, by Escape, arrows and Shift+Tab."""
        for _ in range(MOST_STEPS):
            at = self.here()
            if at.area == "cell" and at.active == index:
                return
            if at.area == "nowhere":
                self.fault(f"on the way to cell {index} nothing had the focus")
                self.page.evaluate(f"() => {PANEL}.content.activate()")
            elif at.area == "cell":
                self.keys.press("ArrowDown" if at.active < index else "ArrowUp")
            else:
                self.out(at)
            self.page.wait_for_timeout(20)
        raise RuntimeError(f"Cell {index} cannot be reached; the focus is at {self.here()}.")

    def out(self, at: Stop) -> None:
        """Come back to a cell: by Escape from its editor, by Shift+Tab from what it gave and from outside."""
        self.keys.press("Escape")
        self.page.wait_for_timeout(30)
        if self.here().key == at.key:
            self.step("Shift+Tab")

    def stops_of(self, index: int) -> int:
        """Return how many things in the outputs of a cell take the focus."""
        return self.lab.outputs(index).evaluate_all("all => courseWalk.stops(all)")

    def visit(self, index: int) -> None:
        """Go back into what the cell above gave, through it to its begin, and forward again; use what stands there."""
        for _ in range(MOST_STEPS):
            at = self.step("Shift+Tab")
            if at.area == "output" and at.cell == index:
                break
            if at.cell < index or at.area in ("outside", "nowhere"):
                self.fault(f"Shift+Tab from the cell below does not lead into the outputs of cell {index}, but to {at}")
                return
        at = self.through("Shift+Tab", index, use=False)
        if at is None:
            return
        self.step("Tab")
        self.through("Tab", index, use=True)

    def through(self, key: str, index: int, *, use: bool) -> Stop | None:
        """Press a key until the outputs of a cell are behind; None, and a fault, if they never are."""
        used: set[str] = set()
        for _ in range(MOST_STEPS):
            at = self.here()
            if at.cell != index or at.area != "output":
                return at
            if use and at.key not in used:
                used.add(at.key)
                self.use(at)
                if self.here().cell != index:
                    return self.here()
            self.step(key)
        self.fault(f"{key} never leads out of the outputs of cell {index}")
        return None

    # -- what one does there ----------------------------------------------------------------------------------------

    def use(self, at: Stop) -> None:
        """Do with a thing what one does with it, and see that something happened and that the focus is not lost."""
        before = self.page.evaluate("courseWalk.state()")
        if at.type == "radio":
            self.keys.press("b")
            self.keys.press("Enter")
            status = self.lab.outputs(at.cell, ".course-card [role=status]")
            expect(status).to_have_text(re.compile(r"^(Committed to B\.|B, chosen after the run)"))
        elif at.type == "range":
            self.keys.press("ArrowRight")
            if self.page.evaluate("courseWalk.state()") == before:
                self.keys.press("ArrowLeft")
        elif at.type == "number":
            self.keys.press("Control+A")
            self.keys.type("7")
            self.keys.press("Enter")
        elif at.type in ("text", "textarea", "search"):
            self.keys.type("0")
            self.keys.press("Backspace")
        elif at.type == "checkbox":
            self.keys.press("Space")
        elif at.tag == "summary":
            self.keys.press("Enter")
        elif at.tag == "select":
            self.keys.press("ArrowDown")
        elif at.tag == "button":
            self.keys.press("Space")
        elif at.role == "group" and at.tag != "summary":
            self.keys.press("+")
        self.page.wait_for_timeout(100)
        now = self.here()
        if now.area == "nowhere":
            self.fault(f"{at}: the focus is lost when it is used")
        elif (at.type in ("range", "checkbox") or at.tag == "summary") and (
            self.page.evaluate("courseWalk.state()") == before
        ):
            self.fault(f"{at}: it does not obey the keyboard")

    def say(self) -> None:
        """Write the sentence that a lesson asks for, where the field has the focus by itself."""
        at = self.here()
        self.page.evaluate("courseBarriers.hold()")
        self.keys.type("as I see it, b and all")
        self.keys.press("Enter")
        self.page.wait_for_timeout(150)
        if self.page.evaluate("courseBarriers.left()") < 3 - 0.005:
            self.fault(f"{at}: its focus cannot be seen")

    def write(self, index: int) -> None:
        """Go into a cell's editor, write, take it back, and come out."""
        self.keys.press("Enter")
        self.page.wait_for_timeout(50)
        if self.here().area != "editor":
            self.fault(f"Enter does not open the editor of cell {index}")
            return
        self.keys.press("Control+End")
        self.keys.type(" # x")
        for _ in range(4):
            self.keys.press("Backspace")
        self.keys.press("Escape")
        self.page.wait_for_timeout(50)

    def hint(self, index: int) -> None:
        """Ask for a hint in a new cell above cell `index`, as lesson 00 says: Esc, then A."""
        name = re.search(r'checks\.check\(\s*"([^"]+)"', self.lab.sources()[index - 1])[1]
        self.keys.press("a")
        self.page.wait_for_timeout(100)
        self.keys.press("Enter")
        self.keys.insert_text(f'checks.hint("{name}")')
        self.keys.press("Shift+Enter")
        self.lab.wait_idle()
        expect(self.lab.outputs(index)).to_contain_text("Hint 1")
        self.stand_on(index + 1)
        self.hinted = True

    # -- all that is shown ------------------------------------------------------------------------------------------

    def shown(self) -> Iterator[str]:
        """Yield what stands out too little, in both themes, and what would be read twice."""
        outputs = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output")
        for theme in ("Dark", "Light"):
            self.lab.theme(theme)
            yield from (f"{theme}: {sentence}" for sentence in barriers.low(outputs))
        yield from barriers.twice(outputs)
        yield from outputs.evaluate_all("all => courseWalk.doubled(all)")


def walk(lab: Lab, number: str, shots: Path | None = None) -> Walk:
    """Walk through the lesson with this number, and return what was found."""
    [path] = lab.server.root.glob(f"{number}_*.ipynb")
    lab.page.set_viewport_size(ROOM)
    lab.open(path.name)
    one = Walk(lab)
    one.walk()
    one.faults += one.shown()
    if shots:
        lab.screenshot(shots / f"{number}.png")
    return one


def main() -> int:
    """Read the command line, walk, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.keyboard", description=__doc__)
    parser.add_argument("lessons", nargs="*", default=["00", "01", "02", "03", "04", "05"])
    parser.add_argument("--program", default="jupyterlab", choices=["jupyterlab", "notebook"], help="or Notebook 7")
    parser.add_argument("--python", default=sys.executable, help="another environment's Python, which has the program")
    parser.add_argument("--stops", action="store_true", help="print all that had the focus")
    options = parser.parse_args()
    found = 0
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="course-keys-")))
        server = stack.enter_context(serving(folder, options.program, options.python))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=[*chromium.ARGUMENTS])
        expect.set_options(timeout=30_000)
        for number in options.lessons:
            lab = Lab(server, browser.new_context(viewport=ROOM).new_page())
            one = walk(lab, number)
            print(f"== {number}: {len(one.stops)} things had the focus, {len(one.faults)} faults", flush=True)
            if options.stops:
                print(*one.stops, sep="\n")
            print(*(f"WRONG: {fault}" for fault in one.faults), sep="\n")
            found += len(one.faults)
            lab.close(set())
        browser.close()
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
