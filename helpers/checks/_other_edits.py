"""More changes for `_repair`, beside the usual slips of `_edits`: what is one too many, and what stands elsewhere.

A change is a list of fields of the tree with other content, made and taken back in place.
"""

from __future__ import annotations

import ast
import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from helpers.checks._edits import Edit

__all__ = ["early", "late"]

_FAMILIES = (("min", "max", "sum", "mean"), ("nanmin", "min"), ("nanmax", "max"), ("any", "all"), ("fmin", "minimum"),
             ("fmax", "maximum"))  # fmt: skip


@dataclass
class _Change:
    """Fields of the tree with what they should hold instead; the line, and the change in words."""

    fields: list[tuple[ast.AST, str, object]]
    line: int
    words: str

    @contextlib.contextmanager
    def made(self) -> Iterator[None]:
        before = [(node, field, getattr(node, field)) for node, field, _ in self.fields]
        for node, field, value in self.fields:
            setattr(node, field, value)
        try:
            yield
        finally:
            for node, field, value in reversed(before):
                setattr(node, field, value)


@dataclass
class _Slot:
    """Where a node stands: in which field of which parent, in which statement, function and f-string."""

    node: ast.AST
    parent: ast.AST
    field: str
    index: int | None
    statement: ast.stmt
    function: ast.FunctionDef | None
    text: ast.JoinedStr | None

    def holding(self, *nodes: ast.AST) -> tuple[ast.AST, str, object]:
        """Return the field with these nodes in the place of this one."""
        if self.index is None:
            return self.parent, self.field, nodes[0]
        row = list(getattr(self.parent, self.field))
        row[self.index : self.index + 1] = nodes
        return self.parent, self.field, row

    def other(self, node: ast.expr) -> _Change:
        """Return the change that puts another expression here."""
        field = self.holding(ast.fix_missing_locations(ast.copy_location(copy.deepcopy(node), self.node)))
        shown = self.text or (self.parent if isinstance(self.parent, ast.expr) else None)
        if self.text is None and isinstance(self.node, ast.Call | ast.Compare | ast.BoolOp):
            shown = None
        old = ast.unparse(shown or self.node)
        with _Change([field], 0, "").made():
            new = ast.unparse(shown or node)
        return _Change([field], self.statement.lineno, f"`{old}` should be `{new}`.")


_Changes = Iterator[_Change]


def _slots(tree: ast.Module) -> list[_Slot]:
    def inside(parent, statement, function, text):
        for field, value in ast.iter_fields(parent):
            for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if not isinstance(node, ast.AST) or isinstance(node, ast.expr_context):
                    continue
                here = node if isinstance(node, ast.stmt) else statement
                yield _Slot(node, parent, field, index, here, function, text)
                yield from inside(
                    node, here, node if isinstance(node, ast.FunctionDef) else function,
                    node if text is None and isinstance(node, ast.JoinedStr) else text,
                )  # fmt: skip

    return list(inside(tree, tree.body[0], None, None))


def early(tree: ast.Module) -> Iterator[Edit]:
    """Yield what comes before the usual slips: where a line is one too many, or in a wrong place, that is all."""
    slots = _slots(tree)
    for kind in (_lines_left_out, _parts_left_out, _sums, _moved):
        yield from _as_edits(kind(slots))


def late(tree: ast.Module, known: Sequence[str], pieces: Mapping[str, str]) -> Iterator[Edit]:
    """Yield changes that come after the usual slips.

    Args:
        tree: definitions of the learner's.
        known: attributes that the object has, those of its parents among them.
        pieces: as for `_edits.edits`; the texts in them are tried as well.
    """
    slots = _slots(tree)
    stored = {slot.node.attr for slot in slots if _is_own(slot.node) and isinstance(slot.node.ctx, ast.Store)}
    attributes = sorted({*known, *stored})
    kinds: tuple[Callable[[], _Changes], ...] = (
        lambda: _afresh(slots), lambda: _handlers(slots), lambda: _given_back(slots),
        lambda: _calls(slots), lambda: _firsts(slots), lambda: _texts(slots, attributes, pieces),
        lambda: _names(slots, attributes), lambda: _placed(slots),
    )  # fmt: skip
    for kind in kinds:
        yield from _as_edits(kind())


def _as_edits(changes: _Changes) -> Iterator[Edit]:
    for change in changes:
        with change.made():
            yield Edit(change.line, lambda change=change: change.words)


def _head(node: ast.stmt) -> str:
    """Write the first line of a statement."""
    return f"`{ast.unparse(node).splitlines()[0]}`"


def _is_own(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def _own(name: str) -> ast.Attribute:
    return ast.Attribute(ast.Name("self", ast.Load()), name, ast.Load())


def _read(slots: list[_Slot]) -> Iterator[_Slot]:
    """Yield the expressions of functions that are not set."""
    return (slot for slot in slots if isinstance(slot.node, ast.expr) and slot.function is not None
            and not isinstance(getattr(slot.node, "ctx", None), ast.Store)
            and not isinstance(slot.parent, ast.JoinedStr) and slot.field != "format_spec")  # fmt: skip


def _rows(slots: list[_Slot]) -> Iterator[tuple[_Slot, list]]:
    """Yield each statement of a function with the row of statements in which it stands."""
    for slot in slots:
        if isinstance(slot.node, ast.stmt) and slot.index is not None and slot.function is not None:
            yield slot, getattr(slot.parent, slot.field)


# -- one too many ------------------------------------------------------------------------------------------------------


def _lines_left_out(slots: list[_Slot]) -> _Changes:
    for slot, row in _rows(slots):
        node = slot.node
        if not isinstance(node, ast.FunctionDef):
            what = "it out, with what stands below it" if hasattr(node, "body") else "the line out"
            rest = (ast.copy_location(ast.Pass(), node),) if len(row) == 1 else ()
            yield _Change([slot.holding(*rest)], node.lineno, f"Without this it is right: leave {what}.")
    for slot in slots:
        node = slot.node
        if isinstance(slot.parent, ast.ClassDef) and isinstance(node, ast.stmt) and len(slot.parent.body) > 1:
            yield _Change([slot.holding()], node.lineno, f"Without {_head(node)} it is right: leave it out.")
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Tuple)
            and isinstance(node.targets[0], ast.Tuple)
        ):
            left, right = node.targets[0].elts, node.value.elts
            for number in range(len(left)) if len(left) == len(right) > 1 else ():
                few = ast.Assign([ast.Tuple([*left[:number], *left[number + 1 :]], ast.Store())],
                                 ast.Tuple([*right[:number], *right[number + 1 :]], ast.Load()))  # fmt: skip
                words = f"`{ast.unparse(left[number])}` should stay as it is here: do not set it."
                yield _Change([slot.holding(ast.copy_location(few, node))], node.lineno, words)
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            rest = [one for one in node.decorator_list if one is not decorator]
            yield _Change([(node, "decorator_list", rest)], node.lineno, f"Leave out `@{ast.unparse(decorator)}`.")


def _parts_left_out(slots: list[_Slot]) -> _Changes:
    """Leave out one part of an `and` or `or`, or turn it round; and leave out one argument with a name."""
    for slot in _read(slots):
        node = slot.node
        for number in range(len(node.values)) if isinstance(node, ast.BoolOp) else ():
            rest = [*node.values[:number], *node.values[number + 1 :]]
            few = rest[0] if len(rest) == 1 else ast.copy_location(ast.BoolOp(node.op, rest), node)
            words = f"Leave `{ast.unparse(node.values[number])}` out of the condition."
            yield _Change([slot.holding(few)], slot.statement.lineno, words)
        for part in node.values if isinstance(node, ast.BoolOp) else ():
            plain = part.operand if isinstance(part, ast.UnaryOp) else ast.UnaryOp(ast.Not(), part)
            if isinstance(part, ast.UnaryOp | ast.Name | ast.Attribute | ast.Call):
                turned = ast.BoolOp(node.op, [plain if one is part else one for one in node.values])
                yield slot.other(turned)
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            rest = [one for one in node.keywords if one is not keyword]
            yield _Change([(node, "keywords", rest)], slot.statement.lineno, f"Leave out `{ast.unparse(keyword)}`.")


def _sums(slots: list[_Slot]) -> _Changes:
    """Leave out a part of a sum or product, and set brackets otherwise."""
    for slot in _read(slots):
        node = slot.node
        if isinstance(node, ast.BinOp):
            yield slot.other(node.left)
            yield slot.other(node.right)
            if isinstance(node.left, ast.BinOp):
                inner = node.left
                yield slot.other(ast.BinOp(inner.left, inner.op, ast.BinOp(inner.right, node.op, node.right)))
            if isinstance(node.right, ast.BinOp):
                inner = node.right
                yield slot.other(ast.BinOp(ast.BinOp(node.left, node.op, inner.left), inner.op, inner.right))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield slot.other(node.operand)
        elif isinstance(node, ast.IfExp):
            yield slot.other(ast.IfExp(node.test, node.orelse, node.body))


# -- statements --------------------------------------------------------------------------------------------------------


def _afresh(slots: list[_Slot]) -> _Changes:
    """Set in `on_train_begin` what the class sets once, and keep it in the object, not in the class."""
    for kind in (slot.node for slot in slots if isinstance(slot.node, ast.ClassDef)):
        shared = [slot for slot in slots if isinstance(slot.parent, ast.Attribute) and isinstance(slot.node, ast.Name)
                  and slot.node.id == kind.name]  # fmt: skip
        if not shared:
            continue
        fields = [slot.holding(ast.copy_location(ast.Name("self", ast.Load()), slot.node)) for slot in shared]
        names = " and ".join(f"`self.{name}`" for name in sorted({slot.parent.attr for slot in shared}))
        told = f"`{kind.name}.` keeps it in the class, which all objects and fits share. Keep it in the object: {names}"
        yield _Change(fields, shared[0].statement.lineno, f"{told}.")
        first = [
            ast.copy_location(ast.Assign([ast.Attribute(ast.Name("self", ast.Load()), one.targets[0].id, ast.Store())],
                                         one.value), one)
            for one in kind.body if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name)
        ]  # fmt: skip
        begin = next((one for one in kind.body if getattr(one, "name", "") == "on_train_begin"), None)
        if begin is None and first:
            begin = ast.copy_location(ast.parse("def on_train_begin(self, logs=None): pass").body[0], kind)
            begin.body = first
            fields = [*fields, (kind, "body", [*kind.body, begin])]
        elif first:
            fields = [*fields, (begin, "body", [*first, *begin.body])]
        yield _Change(fields, shared[0].statement.lineno, f"{told}, and set it anew in `on_train_begin`.")


def _moved(slots: list[_Slot]) -> _Changes:
    """Let a statement stand one step further out, or in, or in another branch."""
    for slot, row in _rows(slots):
        node, at = slot.node, slot.index
        if isinstance(node, ast.FunctionDef):
            continue
        rest = (slot.parent, slot.field, [*row[:at], *row[at + 1 :]] or [ast.copy_location(ast.Pass(), node)])
        outer = next((one for one in slots if one.node is slot.parent and one.index is not None), None)
        if outer is not None and isinstance(outer.node, ast.If | ast.For | ast.While | ast.Try | ast.With):
            around = getattr(outer.parent, outer.field)
            what = "loop" if isinstance(outer.node, ast.For | ast.While) else "block"
            for step, where in ((1, "behind"), (0, "in front of")):
                moved = [*around[: outer.index + step], node, *around[outer.index + step :]]
                yield _Change([rest, (outer.parent, outer.field, moved)], node.lineno,
                              f"This line belongs {where} the {what}, not into it: indent it less.")  # fmt: skip
        if at and isinstance(row[at - 1], ast.If | ast.For | ast.While | ast.Try | ast.With):
            before = row[at - 1]
            fields = [(before, "body", [*before.body, node])]
            yield _Change([rest, *fields], node.lineno, f"The line belongs inside {_head_of(before)}, at its end.")
            if isinstance(before, ast.If):
                yield _Change([rest, (before, "orelse", [*before.orelse, node])], node.lineno,
                              f"The line belongs into an `else:` of {_head_of(before)}.")  # fmt: skip
        if at + 1 < len(row) and isinstance(row[at + 1], ast.If | ast.For | ast.While | ast.Try | ast.With):
            after = row[at + 1]
            yield _Change([rest, (after, "body", [node, *after.body])], node.lineno,
                          f"The line belongs inside {_head_of(after)}.")  # fmt: skip
        if isinstance(node, ast.If) and node.orelse and not isinstance(node.orelse[0], ast.If):
            yield _Change([(node, "orelse", []), slot.holding(node, *node.orelse)], node.lineno,
                          "What stands below its `else` belongs in every case.")  # fmt: skip


def _head_of(node: ast.stmt) -> str:
    return f"{_head(node)} in line {node.lineno}"


def _placed(slots: list[_Slot]) -> _Changes:
    """Let a simple statement stand elsewhere in its function."""
    rows = list(_rows(slots))
    for slot, row in rows:
        if not isinstance(slot.node, ast.Assign | ast.AugAssign | ast.Expr | ast.Return):
            continue
        for other, there in rows:
            if other.function is not slot.function or other.node is slot.node or slot.parent is other.node:
                continue
            rest = [one for one in row if one is not slot.node]
            words = f"The line belongs before {_head_of(other.node)}."
            if there is row:
                at = rest.index(other.node)
                fields = [(slot.parent, slot.field, [*rest[:at], slot.node, *rest[at:]])]
            else:
                at = there.index(other.node)
                fields = [(slot.parent, slot.field, rest or [ast.copy_location(ast.Pass(), slot.node)]),
                          (other.parent, other.field, [*there[:at], slot.node, *there[at:]])]  # fmt: skip
            yield _Change(fields, slot.node.lineno, words)


def _handlers(slots: list[_Slot]) -> _Changes:
    for slot in slots:
        node = slot.node
        if isinstance(node, ast.ExceptHandler):
            kind, last = ast.unparse(node.type) if node.type else "", node.body[-1]
            for name in ("OSError", "BaseException"):
                made = ast.copy_location(ast.ExceptHandler(ast.Name(name, ast.Load()), node.name, node.body), node)
                if name != kind:
                    yield _Change([slot.holding(made)], node.lineno, f"It should be `except {name}:`.")
            if isinstance(last, ast.Raise):
                body = [*node.body[:-1], ast.copy_location(ast.Pass(), last)]
                yield _Change([(node, "body", body)], last.lineno, "Let the error end here: leave this line out.")
            elif not isinstance(last, ast.Return):
                body = [
                    *(one for one in node.body if not isinstance(one, ast.Pass)),
                    ast.copy_location(ast.Raise(), last),
                ]
                yield _Change([(node, "body", body)], node.lineno, "Let the error through: `raise` at the end of this.")
        elif isinstance(node, ast.Try) and node.finalbody:
            field = (node, "finalbody", []) if node.handlers else slot.holding(*node.body)
            words = "is done when all went well, too. Leave it out, with its `finally:`."
            yield _Change([field], node.finalbody[0].lineno, f"What stands here {words}")
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and slot.function is not None:
            handler = ast.ExceptHandler(ast.Name("OSError", ast.Load()), None, [ast.Pass()])
            caught = ast.copy_location(ast.Try([node], [handler], [], []), node)
            words = "This line may raise an `OSError`: put it into a `try:` with `except OSError:`."
            yield _Change([slot.holding(caught)], node.lineno, words)


def _given_back(slots: list[_Slot]) -> _Changes:
    """Return a variable: in the place of a `break`, after the line that sets it, or at the end of the function."""
    for slot in (one for one in slots if isinstance(one.node, ast.Break) and one.function is not None):
        for name in _variables(slot.function):
            made = ast.copy_location(ast.Return(ast.Name(name, ast.Load())), slot.node)
            words = f"`break` only leaves the loop, and what stands behind it goes on. Return here: `return {name}`."
            yield _Change([slot.holding(made)], slot.node.lineno, words)
    for slot, row in _rows(slots):
        node = slot.node
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and slot.index == len(row) - 1:
            made = ast.copy_location(ast.Return(ast.Name(node.targets[0].id, ast.Load())), node)
            yield _Change(
                [slot.holding(node, made)], node.lineno, f"After this line, `{ast.unparse(made)}` is missing."
            )
    for slot in slots:
        node = slot.node
        for name in _variables(node) if isinstance(node, ast.FunctionDef) else ():
            made = ast.copy_location(ast.Return(ast.Name(name, ast.Load())), node)
            words = f"`{node.name}` lacks a `return {name}` at its end."
            yield _Change([(node, "body", [*node.body, made])], node.lineno, words)


def _variables(function: ast.FunctionDef) -> list[str]:
    names = [one.arg for one in function.args.args if one.arg != "self"]
    names += [one.id for one in ast.walk(function) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]
    return list(dict.fromkeys(names))


# -- expressions -------------------------------------------------------------------------------------------------------


def _calls(slots: list[_Slot]) -> _Changes:
    for slot in _read(slots):
        node = slot.node
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        others = [other for family in _FAMILIES if name in family for other in family if other != name]
        for other in others:
            plain = isinstance(node.func, ast.Name)
            if other == "mean" and plain:
                if len(node.args) == 1:
                    total, count = (ast.Call(ast.Name(one, ast.Load()), node.args, []) for one in ("sum", "len"))
                    yield slot.other(ast.BinOp(total, ast.Div(), count))
                continue
            called = ast.Name(other, ast.Load()) if plain else ast.Attribute(node.func.value, other, ast.Load())
            yield slot.other(ast.Call(called, node.args, node.keywords))
        if len(node.args) == 2 and slot.field == "test":
            yield slot.other(ast.UnaryOp(ast.Not(), ast.Call(node.func, node.args[::-1], node.keywords)))
        if len(node.args) == 1 and not isinstance(slot.parent, ast.Expr):
            yield slot.other(node.args[0])
        if isinstance(slot.parent, ast.Return):
            yield slot.other(ast.Call(ast.Name("max", ast.Load()), [ast.Constant(1), node], []))
    for slot in _read(slots):
        if isinstance(slot.parent, ast.Return) and isinstance(slot.node, ast.Name | ast.Attribute):
            yield slot.other(ast.Call(ast.Name("max", ast.Load()), [ast.Constant(1), slot.node], []))
        if (
            isinstance(slot.node, ast.Subscript)
            and isinstance(slot.node.value, ast.Name)
            and slot.node.value.id == "logs"
        ):
            yield slot.other(ast.Call(ast.Attribute(slot.node.value, "get", ast.Load()), [slot.node.slice], []))


def _firsts(slots: list[_Slot]) -> _Changes:
    """Yield other first values: None, and the infinities."""
    others = [ast.parse(one, mode="eval").body for one in ("None", 'float("inf")', 'float("-inf")')]
    infinite = ("float('inf')", "-float('inf')", "float('-inf')", "np.inf", "-np.inf", "math.inf", "-math.inf")
    for slot in _read(slots):
        none = isinstance(slot.node, ast.Constant) and slot.node.value is None
        if (none and isinstance(slot.parent, ast.Assign | ast.Tuple)) or ast.unparse(slot.node) in infinite:
            for other in others:
                yield slot.other(other)


def _texts(slots: list[_Slot], attributes: Sequence[str], pieces: Mapping[str, str]) -> _Changes:
    known = [*attributes]
    for piece in pieces:
        with contextlib.suppress(SyntaxError):
            known += [one.value for one in ast.walk(ast.parse(piece)) if isinstance(one, ast.Constant)
                      and isinstance(one.value, str)]  # fmt: skip
    for slot in _read(slots):
        if isinstance(slot.node, ast.Constant) and isinstance(slot.node.value, str):
            for text in dict.fromkeys(known):
                yield slot.other(ast.Constant(text))
            for name in attributes:
                yield slot.other(_own(name))


def _names(slots: list[_Slot], attributes: Sequence[str]) -> _Changes:
    """Put another variable or attribute in the place of one."""
    for slot in slots:
        node = slot.node
        if slot.function is None or isinstance(slot.parent, ast.JoinedStr):
            continue
        if _is_own(node) and isinstance(node.ctx, ast.Store):
            for name in attributes:
                yield slot.other(ast.Attribute(ast.Name("self", ast.Load()), name, ast.Store()))
        elif _is_own(node) and not (isinstance(slot.parent, ast.Call) and slot.field == "func"):
            for other in (*map(_own, attributes), *(ast.Name(name, ast.Load()) for name in _variables(slot.function))):
                if not _sets(slot, other):
                    yield slot.other(other)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in _variables(slot.function):
            for other in (*(ast.Name(name, ast.Load()) for name in _variables(slot.function)), *map(_own, attributes)):
                if not _sets(slot, other):
                    yield slot.other(other)


def _sets(slot: _Slot, other: ast.expr) -> bool:
    """Say whether a statement sets this to what stands in the slot: to set it to itself is no change that one makes."""
    return isinstance(slot.parent, ast.Assign) and ast.unparse(other) in map(ast.unparse, slot.parent.targets)
