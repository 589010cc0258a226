"""The rules for lessons that the builder does not need but learners do; each rule yields sentences about one lesson.

A rule takes a lesson as the builder read it. What a rule cannot know about a lesson stands in the tables on top.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import take_home
import verdicts

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"


def load_builder():
    """Import `notebooks/build.py`, which is a script and no package, once."""
    if "notebooks_build" not in sys.modules:
        spec = importlib.util.spec_from_file_location("notebooks_build", NOTEBOOKS / "build.py")
        sys.modules["notebooks_build"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["notebooks_build"])
    return sys.modules["notebooks_build"]


def load_minutes():
    """Import `tools/minutes.py`, which measures lessons, once."""
    if "tools_minutes" not in sys.modules:
        spec = importlib.util.spec_from_file_location("tools_minutes", ROOT / "tools" / "minutes.py")
        sys.modules["tools_minutes"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["tools_minutes"])
    return sys.modules["tools_minutes"]


builder = load_builder()
minutes = load_minutes()

SETUP_LINES = 6
CODE_LINES = 20
PROSE_WORDS = 120
LINE_LENGTH = 88  # what a window of 1300 pixels shows of a line
AIM_LINES = 8
AIM_WORDS = 60

# The first word of a title is what the learner will do.
VERBS = {
    "Be", "Build", "Change", "Choose", "Compare", "Count", "Find", "Judge", "Keep", "Look", "Make", "Measure", "Open",
    "Plan", "Play", "Put", "Read", "Rebuild", "Save", "See", "Ship", "Spend", "Start", "Stop", "Survive", "Take",
    "Test", "Train", "Try", "Use", "Wait", "Watch", "Write",
}  # fmt: skip

# Predictions and checked exercises of a lesson, fewest and most; another range needs its reason.
USUAL = (2, 4)
PREDICTIONS = {
    "00": (0, 4, "shows how predicting works"),
    "06": (1, 4, "three parts with four predictions together"),
    "07": (8, 12, "each myth begins with a prediction"),
    "08": (3, 60, "each trouble begins with a prediction"),
    "08f": (2, 60, "each trouble begins with a prediction, and there are two"),
    "09": (4, 6, "two parts, each in several short rounds"),
}
EXERCISES = {
    "00": (0, 4, "shows how checks work"),
    "03b": (1, 4, "a part of a lesson"),
    "03c": (0, 4, "a part of a lesson, which no other lesson needs"),
    "05": (1, 4, "two parts with three exercises together"),
    "06": (0, 7, "three parts: the first only looks, then two to rebuild, and a workbench of five to choose from"),
    "07": (0, 4, "the predictions are the work"),
    "08": (0, 40, "people read one trouble, not the lesson"),
}

# Lines of code that a cell of this lesson may have, where CODE_LINES are too few; needs its reason.
LONG_CODE = {"06": (32, "a whole callback is read in one piece, beside Keras's own")}

NETWORK_MODULES = {
    "aiohttp", "boto3", "fsspec", "ftplib", "gdown", "http", "httpx", "huggingface_hub", "kagglehub", "requests",
    "s3fs", "smtplib", "socket", "tensorflow_datasets", "tensorflow_hub", "urllib", "urllib3", "wget", "xmlrpc",
}  # fmt: skip
NETWORK_NAMES = {"datasets": "keras.datasets", "get_file": "keras.utils.get_file", "from_preset": "from_preset"}

LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<target>[^)\s]+)\)")
HTML_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
HEADING = re.compile(r"^(?P<marks>#{1,6})\s+(?P<text>.+?)\s*$", re.MULTILINE)
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)

Sentences = Iterator[str]


def at(cell) -> str:
    return f"line {cell.line}, cell {cell.number}"


def prose(lesson) -> list:
    return [cell for cell in lesson.cells if cell.kind == "markdown"]


def code(lesson) -> list:
    return [cell for cell in lesson.cells if cell.kind == "code"]


def without_code(text: str) -> str:
    """Return prose without fenced blocks and inline code, in which nothing is a link or a heading."""
    return re.sub(r"`[^`\n]*`", "`code`", FENCE.sub("", text))


def versions(cell) -> list[str]:
    """Return the texts that readers get of a code cell: two for an exercise, one for others."""
    return list(builder.cut(cell.text)) if cell.tag == "exercise" else [cell.text]


def headings(lesson) -> list[tuple[object, int, str]]:
    """Return cell, level and text of each heading outside the teaching notes."""
    return [
        (cell, len(found["marks"]), found["text"])
        for cell in prose(lesson)
        if cell.tag is None
        for found in HEADING.finditer(FENCE.sub("", cell.text))
    ]


# -- the rules -------------------------------------------------------------------------------------------------------


def title_says_what_to_do(lesson) -> Sentences:
    """The first cell is prose and opens with the only H1, whose first word is a verb."""
    first = lesson.cells[0]
    found = HEADING.match(first.text) if first.kind == "markdown" else None
    if not found or len(found["marks"]) != 1:
        yield f"{at(first)}: the first cell must begin with the title, `# # Stop before it gets worse`."
        return
    word = re.split(r"\W", found["text"], maxsplit=1)[0]
    if word not in VERBS:
        yield f"{at(first)}: the title begins with {word!r}. Begin with a verb (VERBS in lesson_rules.py)."
    for cell, level, text in headings(lesson)[1:]:
        if level == 1:
            yield f"{at(cell)}: a second H1, {text!r}. Use `##`."


def opening_says_what_who_and_how_long(lesson) -> Sentences:
    """You will, You need and Minutes stand before the setup cell, in this order."""
    setup = next((index for index, cell in enumerate(lesson.cells) if cell.tag == "setup"), len(lesson.cells))
    opening = "\n".join(cell.text for cell in lesson.cells[:setup] if cell.kind == "markdown")
    places = [opening.find(words) for words in ("**You will", "**You need", "**Minutes")]
    if -1 in places:
        yield "before the setup cell there must be **You will**, **You need** and **Minutes:** 20."
    elif places != sorted(places):
        yield "the order is You will, You need, Minutes."
    if minutes.stated(lesson.cells) is None:
        yield "the minutes are missing: a line `**Minutes:** 20`, or `**Minutes:** 17 for the core, 34 in all`."


def cells_are_short(lesson) -> Sentences:
    """Setup, code and prose keep to their limits."""
    for cell in lesson.cells:
        if cell.kind == "markdown":
            words = len(without_code(cell.text).split())
            if words > PROSE_WORDS:
                yield f"{at(cell)}: {words} words of prose; the limit is {PROSE_WORDS}, the aim {AIM_WORDS}."
            continue
        longest = max(len(text.splitlines()) for text in versions(cell))
        most = LONG_CODE.get(lesson.number[:2], (CODE_LINES,))[0]
        if longest > most:
            yield f"{at(cell)}: {longest} lines of code; the limit is {most}, the aim {AIM_LINES}."
        if cell.tag == "setup":
            lines = sum(bool(line.strip()) for line in cell.text.splitlines())
            if lines > SETUP_LINES:
                yield f"{at(cell)}: {lines} lines of setup; the limit is {SETUP_LINES}."


def code_fits_the_window(lesson) -> Sentences:
    """No line of code is wider than a small window."""
    for cell in code(lesson):
        for line, text in builder.numbered(cell):
            if len(text) > LINE_LENGTH:
                yield f"line {line}, cell {cell.number}: {len(text)} characters of code; the limit is {LINE_LENGTH}."


def asserts_have_words(lesson) -> Sentences:
    """An assert that a learner meets says in words what went wrong; those for us stand in a solution cell."""
    for cell in code(lesson):
        if cell.tag in builder.TEACHER_ONLY:
            continue
        for node in ast.walk(ast.parse(versions(cell)[0])):
            if isinstance(node, ast.Assert) and node.msg is None:
                yield f'{at(cell)}: `{ast.unparse(node)}` has no words. Move it into a cell tags=["solution"].'


def questions_are_not_answered(lesson) -> Sentences:
    """Between a question and its reveal, and in the prose right above it, nothing says what is right.

    The same for all that is in sight of the question: tests/browser/test_nothing_answers_a_question.py.
    """
    from helpers import questions

    asked, above = None, None
    for cell in lesson.cells:
        if cell.tag in builder.TEACHER_ONLY:
            continue
        named = {call: name for _, _, call, name in builder.named_calls(cell)}
        if "widgets.predict" in named:
            with contextlib.suppress(ValueError):  # a missing text has a rule of its own
                asked = questions.prediction(named["widgets.predict"])
        for place in (above, cell) if "widgets.predict" in named else (cell,):
            if asked is None or place is None or place.tag == "predict":
                continue
            bold = re.findall(r"\*\*(.+?)\*\*", place.text) if place.kind == "markdown" else ()
            for words in verdicts.announced(asked, place.text, bold):
                yield f"{at(place)}: prediction {asked.id} is answered in sight: {words}."
        if asked and cell.kind == "code" and any(isinstance(node, ast.Assert) for node in in_step(cell.text)):
            yield f'{at(cell)}: an assert between prediction {asked.id} and its reveal. Move it into tags=["solution"].'
        if "widgets.reveal" in named:
            asked = None
        above = cell if cell.kind == "markdown" else None


def in_step(text: str) -> Iterator[ast.AST]:
    """Yield the parts of some code that run with the cell itself, not inside a function or class."""
    todo: list[ast.AST] = [ast.parse(text)]
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            todo += ast.iter_child_nodes(node)


def setup_begins_the_lesson(lesson) -> Sentences:
    """The setup calls lesson.begin, and before it imports helpers alone."""
    setup = next((cell for cell in lesson.cells if cell.tag == "setup"), None)
    if setup is None:
        return
    for statement in ast.parse(setup.text).body:
        if "lesson.begin(" in ast.unparse(statement):
            return
        if not (isinstance(statement, ast.ImportFrom) and statement.module == "helpers"):
            yield f"{at(setup)}: before lesson.begin(), which keeps Keras quiet, only `from helpers import ...`."
            return
    yield f'{at(setup)}: the setup never calls lesson.begin("{lesson.number}").'


def nothing_asks_the_network(lesson) -> Sentences:
    """No code imports a network library, names a download or holds a web address."""
    for cell in code(lesson):
        for node in ast.walk(ast.parse(cell.text)):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                parts = name.split(".")
                if parts[0] in NETWORK_MODULES or (parts[0] in ("keras", "tensorflow") and {*parts} & {*NETWORK_NAMES}):
                    yield f"{at(cell)}: imports {name}, which reaches for the network. Lessons use helpers.data."
            if isinstance(node, ast.Attribute) and node.attr in NETWORK_NAMES:
                yield f"{at(cell)}: {NETWORK_NAMES[node.attr]} downloads. Lessons use helpers.data."
            if isinstance(node, ast.Constant) and re.search(r"\b(https?|ftp|s3|gs)://", str(node.value)):
                yield f"{at(cell)}: a web address in code. Put it into prose as a link."


def pictures_have_words(lesson) -> Sentences:
    """Figures go through style.show, which demands alt text; images in prose name theirs."""
    for cell in code(lesson):
        tree = ast.parse(cell.text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in ("plt", "pyplot"):
                yield f"{at(cell)}: {node.id} is not used here. Draw with plots or style.figure, and style.show it."
            if isinstance(node, ast.Import | ast.ImportFrom) and "pyplot" in ast.unparse(node):
                yield f"{at(cell)}: pyplot is not used here. Draw with plots or style.figure, and style.show it."
            if isinstance(node, ast.Call) and called(node) in ("display", "Image", "IPython.display.Image"):
                yield f"{at(cell)}: {called(node)}() shows pictures without words. Use style.show(figure)."
        for statement in tree.body:
            alone = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
            name = called(statement.value) if alone else ""
            if name.startswith("plots.") and name != "plots.describe":
                yield f"{at(cell)}: {name}() alone shows no picture. Write style.show({name}(...))."
    for cell in prose(lesson):
        text = without_code(cell.text)
        for image in IMAGE.finditer(text):
            if len(image["alt"].split()) < 3:
                yield f"{at(cell)}: the image {image['target']} needs words: ![what it shows]({image['target']})."
        for image in HTML_IMAGE.findall(text):
            if not re.search(r"""\balt=(["'])\s*\S.*?\1""", image):
                yield f"{at(cell)}: an <img> without alt text."


def values_are_shown(lesson) -> Sentences:
    """A value alone on a line is shown in the last line of a cell only, and that may have become a reveal."""
    for cell in code(lesson):
        for text in versions(cell):
            for statement in ast.parse(text).body[:-1]:
                value = statement.value if isinstance(statement, ast.Expr) else None
                if value is not None and not isinstance(value, ast.Call | ast.Constant):
                    yield f"{at(cell)}: `{ast.unparse(value)}` shows nothing there. Print it, or make it the last line."


def called(call: ast.Call) -> str:
    """Return what a call calls, such as `plots.learning_curves`."""
    return ast.unparse(call.func) if isinstance(call.func, ast.Name | ast.Attribute) else ""


def ends_with_takeaways_and_what_is_next(lesson) -> Sentences:
    """The last two H2 are Key takeaways and Where next."""
    found = [text for _, level, text in headings(lesson) if level == 2]
    if found[-2:] != ["Key takeaways", "Where next"]:
        yield f"the lesson must end with `## Key takeaways` and `## Where next`; its last H2 are {found[-2:]}."


def headings_step_down_one_by_one(lesson) -> Sentences:
    """No heading is more than one level below the one before it."""
    before = 0
    for cell, level, text in headings(lesson):
        if level > before + 1:
            yield f"{at(cell)}: {text!r} is H{level} after H{before}. Use H{before + 1}: people move by levels."
        before = level


def names_in(lesson, call: str) -> list[str]:
    return [name for cell in lesson.cells for _, _, found, name in builder.named_calls(cell) if found == call and name]


def predictions_and_exercises_are_enough(lesson) -> Sentences:
    """Each lesson has two to four of each, if no table says otherwise."""
    for what, call, table in (
        ("predictions", "widgets.predict", PREDICTIONS),
        ("exercises", "checks.check", EXERCISES),
    ):
        count = len(names_in(lesson, call))
        fewest, most = table.get(lesson.number, table.get(lesson.number[:2], USUAL))[:2]
        if not fewest <= count <= most:
            yield f"{count} {what}; this lesson needs {fewest} to {most} (see the tables in lesson_rules.py)."


def texts_and_cells_name_each_other(lesson) -> Sentences:
    """Each prediction and exercise has its texts in data/lessons, and each text one cell, in this part or another."""
    from helpers import questions

    try:
        texts = questions.load(lesson.number)
    except ValueError as error:
        yield str(error)
        return
    file = f"data/lessons/{texts.id}.toml"
    elsewhere = [part for part in parts_of(texts.id, NOTEBOOKS / "source") if part.name != lesson.name]
    for what, call, written in (
        ("predict", "widgets.predict", texts.predictions),
        ("exercise", "checks.check", texts.exercises),
    ):
        asked = names_in(lesson, call)
        others = [name for part in elsewhere for name in names_in(part, call)]
        for name in asked:
            if name not in written:
                yield f'{file} has no [{what}.{name.split(".")[1]}] for {call}("{name}").'
            if name in others:
                yield f'{call}("{name}") stands in another part of the lesson as well.'
        for name in written:
            if name not in asked and name not in others:
                yield f'{file} has [{what}.{name.split(".")[1]}], and no cell calls {call}("{name}").'


@cache
def parts_of(home: str, folder: Path) -> tuple:
    """Return the lessons in `folder` whose texts stand in `data/lessons/{home}.toml`, as the builder reads them."""
    from helpers import questions

    found = []
    for path in sorted(folder.glob(f"{home[:2]}*.py")):
        with contextlib.suppress(builder.SourceError):
            part = builder.read_lesson(path)
            if questions.home(part.number) == home:
                found.append(part)
    return tuple(found)


def links_resolve(lesson) -> Sentences:
    """Links to lessons, files and headings lead somewhere."""
    for cell in prose(lesson):
        text = without_code(cell.text)
        for link in [*LINK.finditer(text), *IMAGE.finditer(text)]:
            target, _, anchor = link["target"].partition("#")
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            if not target:
                anchors = anchors_of(lesson)
            elif builder.NOTEBOOK_NAME.fullmatch(target):
                other = NOTEBOOKS / "source" / f"{Path(target).stem}.py"
                if not other.exists():
                    yield f"{at(cell)}: there is no lesson {target}."
                    continue
                anchors = anchors_of_source(other)
            elif not (NOTEBOOKS / target).exists():
                yield f"{at(cell)}: the link to {target} leads nowhere from notebooks/."
                continue
            else:
                continue
            if not anchor.isascii():
                yield f"{at(cell)}: {link['target']}: JupyterLab jumps to headings in plain ASCII only."
            elif anchor and anchor not in anchors:
                yield f"{at(cell)}: {link['target']} names no heading. JupyterLab's anchors have hyphens for blanks."


def anchors_of(lesson) -> set[str]:
    return {text.replace(" ", "-") for _, _, text in headings(lesson)}


@cache
def anchors_of_source(path: Path) -> set[str]:
    try:
        return anchors_of(builder.read_lesson(path))
    except builder.SourceError:
        return set()


def minutes_are_measured(lesson) -> Sentences:
    """The stated minutes are within a fifth of the measured; cores are short, and long lessons have a pause point.

    What is measured, and how, stands in tools/minutes.py; data/course.toml says which lessons are express.
    """
    told = minutes.stated(lesson.cells)
    if told is None:
        return
    row = course_row(lesson.number)
    if row.each:
        one = minutes.of_one_trouble(lesson.cells).minutes
        if not minutes.within(told.all, one):
            yield f"says {told.all} minutes; one trouble measures {one:.1f} (python tools/minutes.py)."
        return
    found = minutes.measure(lesson.cells)
    core = found.core.minutes if found.core else None
    for what, said, real in (("in all", told.all, found.all.minutes), ("for the core", told.core, core)):
        if said is not None and real is not None and not minutes.within(said, real):
            yield f"says {said} minutes {what}; it measures {real:.1f} (python tools/minutes.py)."
    if (told.core is None) != (core is None):
        yield f"a core has both: the heading `## {minutes.CORE_END}` and `**Minutes:** 17 for the core, 34 in all`."
    if row.express and core is None:
        yield "a lesson of the express path has a core."
    elif row.express and core > minutes.CORE_LIMIT:
        yield f"the core measures {core:.1f} minutes; the limit is {minutes.CORE_LIMIT}."
    longest = max(leg.minutes for leg in found.legs)
    if told.all > minutes.LEG_LIMIT and (len(found.legs) == 1 or longest > minutes.LEG_LIMIT):
        yield (
            f"{longest:.0f} minutes without a pause; the limit is {minutes.LEG_LIMIT}. Set a `## {minutes.PAUSE}`, or "
            "make it two lessons."
        )


def course_row(number: str):
    """Return the row of the course map for a lesson or a part of one."""
    from helpers import course

    rows = course.course_map(ROOT / "data" / "course.toml", NOTEBOOKS).lessons
    return next(row for name in (number, number[:2]) for row in rows if row.number == name)


def minutes_agree(lesson) -> Sentences:
    """Where a table in README or in a lesson lists this lesson with its minutes, they are the lesson's own."""
    own = minutes.stated(lesson.cells)
    files = [ROOT / "README.md", ROOT / "TEACHING.md", *sorted((NOTEBOOKS / "source").glob("*.py"))]
    for file in files:
        rows = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        for number, row in enumerate(rows, start=1):
            if own is None or f"{lesson.name}.ipynb" not in row:
                continue
            cells = [cell.strip(" *") for cell in row.split("|")]
            # The first column of the course map holds the number of the lesson, which is not its minutes.
            cells = [cell for cell in cells if cell != lesson.number[:2]]
            told = [re.fullmatch(r"(\d+)(?: min(?:utes)?)?(?: \(core (\d+)\))?", cell) for cell in cells[1:]]
            said = [minutes.Stated(int(one[1]), one[2] and int(one[2])) for one in told if one]
            if len(said) == 1 and said[0] != own:
                words = " and ".join(
                    f"{one.all} (core {one.core})" if one.core else f"{one.all}" for one in (*said, own)
                )
                yield f"{file.relative_to(ROOT)}:{number} and the lesson disagree about its minutes: {words}."


def later_cells_need_no_answer(lesson) -> Sentences:
    """What an exercise assigns is used in its check and in answers only, until another cell assigns it anew."""
    answered: dict[str, str] = {}
    exercise = None
    for cell in code(lesson):
        if cell.tag in ("exercise", *builder.TEACHER_ONLY):
            exercise = builder.exercise_name(cell) or exercise
            stub = versions(cell)[0] if cell.tag == "exercise" else ""
            yield from uses(ast.parse(stub).body, dict(answered), cell)
            answered |= dict.fromkeys(builder.bound_names(ast.parse(cell.text)), f"exercise {exercise}")
            continue
        if any(call == "checks.check" for _, _, call, _ in builder.named_calls(cell)):
            answered |= dict.fromkeys(builder.bound_names(ast.parse(cell.text)), f"the check of exercise {exercise}")
            continue
        yield from uses(ast.parse(cell.text).body, answered, cell)


def uses(statements: list[ast.stmt], answered: dict[str, str], cell) -> Sentences:
    """Yield a sentence for each name out of `answered` that is read; a name that is assigned is free from then on."""
    for statement in statements:
        # A loop and a `with` bind their names before their body reads them.
        inner = [part for field in ("body", "orelse", "finalbody") for part in getattr(statement, field, ())]
        if not isinstance(statement, ast.For | ast.With | ast.If | ast.While | ast.Try):
            inner = []
        head = [part for part in ast.iter_child_nodes(statement) if part not in inner] if inner else [statement]
        for name in sorted(set().union(*map(read_names, head)) & set(answered)):
            yield (
                f"{at(cell)}: {name} comes from {answered[name]}. A cell that is no check may not use a learner's "
                "answer: use another name, or assign it here."
            )
        for name in builder.bound_names(ast.Module(head, [])):
            answered.pop(name, None)
        yield from uses(inner, answered, cell)


def read_names(node: ast.AST) -> set[str]:
    """Return the names that some code reads from outside itself."""
    found = {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) else set()
    for child in ast.iter_child_nodes(node):
        found |= read_names(child)
    if isinstance(node, builder.SCOPES):
        inside = {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
        inside |= {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
        found -= inside
    return found


def fixes_can_be_taken_home(lesson) -> Sentences:
    """Each trouble ends with its fix in a cell that runs alone (tests/notebooks/test_take_home.py runs it)."""
    for cell, text in take_home.faults(builder, lesson):
        yield f"{at(cell)}: {text}"


RULES = (
    title_says_what_to_do,
    opening_says_what_who_and_how_long,
    cells_are_short,
    code_fits_the_window,
    asserts_have_words,
    questions_are_not_answered,
    setup_begins_the_lesson,
    nothing_asks_the_network,
    pictures_have_words,
    values_are_shown,
    ends_with_takeaways_and_what_is_next,
    headings_step_down_one_by_one,
    predictions_and_exercises_are_enough,
    texts_and_cells_name_each_other,
    links_resolve,
    minutes_are_measured,
    minutes_agree,
    later_cells_need_no_answer,
    fixes_can_be_taken_home,
)


def long_cells(lesson) -> str | None:
    """Return a sentence when more than a third of the cells pass the aims that DESIGN sets below the limits."""
    lines = [max(len(text.splitlines()) for text in versions(cell)) > AIM_LINES for cell in code(lesson)]
    words = [len(without_code(cell.text).split()) > AIM_WORDS for cell in prose(lesson)]
    told = [
        f"{sum(found)} of {len(found)} {what}"
        for what, found in (
            (f"code cells over {AIM_LINES} lines", lines),
            (f"prose cells over {AIM_WORDS} words", words),
        )
        if sum(found) * 3 > len(found)
    ]
    return f"{lesson.name}: {' and '.join(told)}. Shorter cells are easier to follow." if told else None
