"""Single changes of a learner's source, the likeliest first: what `_mend` tries.

A change is a list of fields of the syntax tree with other content; it is made and taken back in place. Its words name
the line, what stands there, and what makes it right.
"""

from __future__ import annotations

import ast
import contextlib
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

TURN = "__turn__"
_HOOKS = (
    "on_epoch_end", "on_train_begin", "on_train_batch_end", "on_train_end", "on_epoch_begin", "on_train_batch_begin",
)  # fmt: skip
_FAMILIES = (
    ("min", "max", "sum", "mean"), ("argmin", "argmax"), ("nanmin", "nanmax", "min", "max"), ("any", "all"),
    ("minimum", "maximum", "fmin", "fmax"), ("floor", "ceil"), ("isnan", "isfinite"), ("append", "extend"),
)  # fmt: skip
_COMPARED = {
    ast.Lt: (ast.LtE, ast.Gt, ast.GtE), ast.LtE: (ast.Lt, ast.GtE, ast.Gt), ast.Gt: (ast.GtE, ast.Lt, ast.LtE),
    ast.GtE: (ast.Gt, ast.LtE, ast.Lt), ast.Eq: (ast.GtE, ast.NotEq, ast.LtE, ast.Lt, ast.Gt, ast.Is),
    ast.NotEq: (ast.Eq, ast.Lt, ast.Gt), ast.Is: (ast.IsNot, ast.Eq), ast.IsNot: (ast.Is, ast.NotEq),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
_REACHED = {ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.Div: (ast.Mult, ast.FloorDiv),
            ast.FloorDiv: (ast.Div,), ast.Mod: (ast.FloorDiv,)}  # fmt: skip


@dataclass
class Edit:
    """Fields of the tree with what they should hold instead, and the change in words."""

    fields: list[tuple[ast.AST, str, object]]
    words: str

    @contextlib.contextmanager
    def made(self) -> Iterator[None]:
        """Make the change inside the block."""
        before = [(node, field, getattr(node, field)) for node, field, _ in self.fields]
        try:
            for node, field, value in self.fields:
                setattr(node, field, value)
            yield
        finally:
            for node, field, value in reversed(before):
                setattr(node, field, value)


@dataclass
class _Slot:
    """Where a node stands: in which field of which parent, in which statement and function."""

    node: ast.AST
    parent: ast.AST
    field: str
    index: int | None
    statement: ast.stmt
    function: ast.FunctionDef | None
    text: ast.JoinedStr | None

    def holding(self, *nodes: ast.AST) -> tuple[ast.AST, str, object]:
        """Return the field with these nodes in the place of this one."""
        for node in nodes:
            for part in ast.walk(node):
                if not hasattr(part, "lineno") and isinstance(part, ast.expr | ast.stmt | ast.excepthandler | ast.arg):
                    ast.copy_location(part, self.statement)
        if self.index is None:
            return self.parent, self.field, nodes[0]
        row = list(getattr(self.parent, self.field))
        row[self.index : self.index + 1] = nodes
        return self.parent, self.field, row


class _Cell:
    def __init__(self, tree: ast.Module, lines: Sequence[str], known: Sequence[str], ingredients: Sequence[str]):
        self.tree, self.lines = tree, lines
        self.source = "".join(lines)
        self.slots = list(_slots(tree))
        self.ingredients = [ast.parse(one, mode="eval").body for one in ingredients]
        self.attributes = sorted(
            {*known, *(s.node.attr for s in self.slots if _is_own(s.node) and isinstance(s.node.ctx, ast.Store))}
        )
        texts = [part.value for one in self.ingredients for part in ast.walk(one) if isinstance(part, ast.Constant)]
        self.texts = [text for text in dict.fromkeys(texts) if isinstance(text, str)]
        for slot in self.slots:  # a changed loop may never end
            if isinstance(slot.node, ast.For | ast.While) and not _is_turn(slot.node.body[0]):
                call = ast.Expr(ast.Call(ast.Name(TURN, ast.Load()), [], []))
                for part in ast.walk(call):
                    ast.copy_location(part, slot.node.body[0])
                slot.node.body.insert(0, call)
        self.slots = [slot for slot in _slots(tree) if not _is_turn(slot.node)]

    def line(self, node: ast.AST) -> str:
        return f"`{self.head(node)}` (line {node.lineno})"

    def head(self, node: ast.AST) -> str:
        return self.lines[node.lineno - 1].strip()

    def text(self, node: ast.AST) -> str:
        said = ast.get_source_segment(self.source, node) if hasattr(node, "lineno") else None
        return " ".join((said or ast.unparse(node)).split())

    def other(self, slot: _Slot, node: ast.expr) -> Edit:
        """Return the edit that puts another expression into a slot."""
        node = copy.deepcopy(node)
        field = slot.holding(node)
        shown = slot.parent if isinstance(slot.parent, ast.expr) and slot.parent.lineno == slot.node.lineno else None
        if slot.text is not None:  # inside of an f-string nothing has a place of its own in the source
            old = ast.unparse(slot.text)
            with Edit([field], "").made():
                new = ast.unparse(slot.text)
            return Edit([field], f"in {self.line(slot.statement)}, write `{_double(new)}` in place of `{_double(old)}`.")
        if shown is None or isinstance(slot.node, ast.Call | ast.Compare | ast.BoolOp):
            old, new = self.text(slot.node), ast.unparse(node)
        else:
            old = self.text(shown)
            with Edit([field], "").made():
                new = ast.unparse(shown)
        return Edit([field], f"in {self.line(slot.statement)}, write `{_double(new)}` in place of `{old}`.")


def _double(text: str) -> str:
    return text if '"' in text else text.replace("'", '"')


def _is_own(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def _is_turn(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == TURN


def _slots(tree: ast.Module) -> Iterator[_Slot]:
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

    return inside(tree, tree.body[0], None, None)


def edits(tree: ast.Module, lines: Sequence[str], known: Sequence[str], ingredients: Sequence[str]) -> Iterator[Edit]:
    """Yield single changes of these definitions, the likeliest first.

    Args:
        tree: the learner's definitions; loops get a call of `TURN` at each turn.
        lines: their source.
        known: attributes that the object has.
        ingredients: expressions that may be missing.
    """
    cell = _Cell(tree, lines, known, ingredients)
    for kind in (
        _left_out, _parts, _operators, _comparisons, _conditions, _else_ifs, _without_self, _hooks, _afresh, _moved, _handlers,
        _given_back, _texts, _arguments, _numbers, _names, _ingredients, _more_or_less, _placed,
    ):  # fmt: skip
        yield from kind(cell)


def _expressions(cell: _Cell) -> Iterator[_Slot]:
    return (s for s in cell.slots if isinstance(s.node, ast.expr) and s.function is not None
            and not isinstance(getattr(s.node, "ctx", None), ast.Store)
            and not isinstance(s.parent, ast.JoinedStr | ast.FormattedValue))  # fmt: skip


def _comparisons(cell: _Cell) -> Iterator[Edit]:
    for slot in _expressions(cell):
        if isinstance(slot.node, ast.Compare) and len(slot.node.ops) == 1:
            node = slot.node
            for other in _COMPARED.get(type(node.ops[0]), ()):
                yield cell.other(slot, ast.Compare(node.left, [other()], node.comparators))
        elif isinstance(slot.node, ast.Compare):
            for number, one in enumerate(slot.node.ops):
                for other in _COMPARED.get(type(one), ()):
                    ops = [*slot.node.ops]
                    ops[number] = other()
                    yield cell.other(slot, ast.Compare(slot.node.left, ops, slot.node.comparators))


def _tests(cell: _Cell) -> Iterator[_Slot]:
    """Yield what is asked: tests of `if` and `while`, and the parts of `and`, `or` and `not`."""
    for slot in _expressions(cell):
        part = isinstance(slot.parent, ast.BoolOp) or (
            isinstance(slot.parent, ast.UnaryOp) and isinstance(slot.parent.op, ast.Not)
        )
        if slot.field == "test" or part:
            yield slot


def _parts(cell: _Cell) -> Iterator[Edit]:
    """Leave out one part of an `and` or `or`."""
    for slot in _tests(cell):
        node = slot.node
        for number in range(len(node.values)) if isinstance(node, ast.BoolOp) else ():
            rest = [*node.values[:number], *node.values[number + 1 :]]
            field = slot.holding(rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest))
            yield Edit([field], f"in {cell.line(slot.statement)}, leave out `{cell.text(node.values[number])}`.")


def _conditions(cell: _Cell) -> Iterator[Edit]:
    none = ast.Constant(None)
    for slot in _tests(cell):
        node = slot.node
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            if isinstance(node.operand, ast.Name | ast.Attribute):
                yield cell.other(slot, ast.Compare(node.operand, [ast.Is()], [none]))
            if isinstance(node.operand, ast.Compare) and len(node.operand.ops) == 1:
                inner = node.operand
                for flipped in {ast.Lt: (ast.GtE,), ast.GtE: (ast.Lt,), ast.Gt: (ast.LtE,), ast.LtE: (ast.Gt,)}.get(
                    type(inner.ops[0]), ()
                ):
                    yield cell.other(slot, ast.Compare(inner.left, [flipped()], inner.comparators))
            yield cell.other(slot, node.operand)
        elif isinstance(node, ast.Name | ast.Attribute):
            yield cell.other(slot, ast.Compare(node, [ast.IsNot()], [none]))
        if isinstance(node, ast.BoolOp):
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield cell.other(slot, ast.BoolOp(other, node.values))
        if not isinstance(node, ast.UnaryOp | ast.BoolOp):
            yield cell.other(slot, ast.UnaryOp(ast.Not(), node))
    for slot in _expressions(cell):
        if isinstance(slot.node, ast.IfExp):
            yield cell.other(slot, ast.IfExp(slot.node.test, slot.node.orelse, slot.node.body))
            yield cell.other(slot, slot.node.body)
            yield cell.other(slot, slot.node.orelse)
    for slot in cell.slots:
        if isinstance(slot.node, ast.If) and slot.index is not None:
            yield Edit(
                [slot.holding(*slot.node.body)],
                f"what stands below {cell.line(slot.node)} belongs in every case, without this `if`.",
            )


def _else_ifs(cell: _Cell) -> Iterator[Edit]:
    for slot in cell.slots:
        node = slot.node
        if not isinstance(node, ast.If) or slot.index is None:
            continue
        row = getattr(slot.parent, slot.field)
        if slot.index + 1 < len(row) and isinstance(row[slot.index + 1], ast.If) and not node.orelse:
            fields = [(node, "orelse", [row[slot.index + 1]])]
            fields.append((slot.parent, slot.field, [*row[: slot.index + 1], *row[slot.index + 2 :]]))
            yield Edit(fields, f"{cell.line(row[slot.index + 1])} should be an `elif`: it is asked only where "
                               f"{cell.line(node)} was not so.")  # fmt: skip
        if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If) and cell.head(node.orelse[0]).startswith("elif"):
            after = node.orelse[0]
            fields = [(node, "orelse", []), (slot.parent, slot.field, [*row[: slot.index + 1], after, *row[slot.index + 1 :]])]
            yield Edit(fields, f"{cell.line(after)} should be an `if` of its own, without `el`.")
        elif node.orelse:
            fields = [(node, "orelse", []), (slot.parent, slot.field, [*row[: slot.index + 1], *node.orelse, *row[slot.index + 1 :]])]  # fmt: skip
            yield Edit(fields, f"what stands below the `else` of {cell.line(node)} belongs in every case.")


def _own_names(function: ast.FunctionDef) -> list[str]:
    names = [one.arg for one in function.args.args if one.arg != "self"]
    names += [one.id for one in ast.walk(function) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]
    return list(dict.fromkeys(names))


def _sets(slot: _Slot, name: str) -> bool:
    """Say whether a slot is what a statement sets this name to: setting it to itself is no change that one makes."""
    return isinstance(slot.parent, ast.Assign) and name in [ast.unparse(one) for one in slot.parent.targets]


def _names(cell: _Cell) -> Iterator[Edit]:
    for slot in _expressions(cell):
        node = slot.node
        if _is_own(node) and not (isinstance(slot.parent, ast.Call) and slot.field == "func"):
            for name in cell.attributes:
                if name != node.attr and not _sets(slot, f"self.{name}"):
                    yield cell.other(slot, ast.Attribute(ast.Name("self", ast.Load()), name, ast.Load()))
            for name in _own_names(slot.function):
                yield cell.other(slot, ast.Name(name, ast.Load()))
        elif isinstance(node, ast.Name) and node.id in (own := _own_names(slot.function)):
            for name in own:
                if name != node.id:
                    yield cell.other(slot, ast.Name(name, ast.Load()))
            for name in cell.attributes:
                if not _sets(slot, f"self.{name}"):
                    yield cell.other(slot, ast.Attribute(ast.Name("self", ast.Load()), name, ast.Load()))
    for slot in cell.slots:
        if _is_own(slot.node) and isinstance(slot.node.ctx, ast.Store):
            for name in cell.attributes:
                if name != slot.node.attr:
                    yield cell.other(slot, ast.Attribute(ast.Name("self", ast.Load()), name, ast.Store()))


def _without_self(cell: _Cell) -> Iterator[Edit]:
    """Give all variables of a function that are called as attributes are their `self.`."""
    for function in (s.node for s in cell.slots if isinstance(s.node, ast.FunctionDef)):
        slots = [
            s for s in cell.slots
            if s.function is function and isinstance(s.node, ast.Name) and s.node.id in cell.attributes
        ]  # fmt: skip
        given = {one.arg for one in function.args.args}
        stored = {s.node.id for s in slots if isinstance(s.node.ctx, ast.Store)} - given
        fields = []
        for s in slots:
            if s.node.id in stored and s.index is None:
                fields.append(s.holding(ast.Attribute(ast.Name("self", ast.Load()), s.node.id, s.node.ctx)))
        rows = {id(s.parent): s for s in slots if s.node.id in stored and s.index is not None}
        for s in rows.values():
            row = [
                ast.copy_location(ast.Attribute(ast.copy_location(ast.Name("self", ast.Load()), one), one.id, one.ctx), one)
                if isinstance(one, ast.Name) and one.id in stored else one
                for one in getattr(s.parent, s.field)
            ]  # fmt: skip
            fields.append((s.parent, s.field, row))
        if fields:
            names = " and ".join(f"`{name}`" for name in sorted(stored))
            more = len(stored) > 1
            yield Edit(fields, f"{names} in `{function.name}` {'are variables' if more else 'is a variable'} of that call "
                               f"alone, forgotten when it ends: write `self.` before {'them' if more else 'it'}.")  # fmt: skip


def _texts(cell: _Cell) -> Iterator[Edit]:
    known = [*cell.texts, *cell.attributes]
    for slot in _expressions(cell):
        if isinstance(slot.node, ast.Constant) and isinstance(slot.node.value, str):
            for text in known:
                if text != slot.node.value:
                    yield cell.other(slot, ast.Constant(text))
            for name in cell.attributes:
                yield cell.other(slot, ast.Attribute(ast.Name("self", ast.Load()), name, ast.Load()))


_AFTER_NAMES = {"epoch": ["self", "epoch", "logs"], "batch": ["self", "batch", "logs"], "train": ["self", "logs"]}


def _hooks(cell: _Cell) -> Iterator[Edit]:
    for slot in cell.slots:
        node = slot.node
        if not isinstance(node, ast.FunctionDef) or not isinstance(slot.parent, ast.ClassDef):
            continue
        if node.decorator_list:
            yield Edit([(node, "decorator_list", [])], f"leave out the line `@{ast.unparse(node.decorator_list[0])}` "
                       f"above `def {node.name}`.")  # fmt: skip
        if node.name not in _HOOKS:
            continue
        others = {one.name: one for one in slot.parent.body if isinstance(one, ast.FunctionDef)}
        for name in _HOOKS:
            if name == node.name:
                continue
            kind = "batch" if "batch" in name else name.split("_")[1]
            arguments = copy.deepcopy(node.args)
            arguments.args = [ast.copy_location(ast.arg(one), node) for one in _AFTER_NAMES[kind]]
            if node.args.args[1:2] and kind != "train" and len(node.args.args) > 2:
                arguments.args[1].arg = node.args.args[1].arg
            words = f"what `{node.name}` does belongs into `{name}`."
            if name not in others:
                yield Edit([(node, "name", name), (node, "args", arguments)], words)
            else:
                rest = [one for one in slot.parent.body if one is not node]
                for body in ([*others[name].body, *node.body], [*node.body, *others[name].body]):
                    yield Edit([(slot.parent, "body", rest), (others[name], "body", body)], words)


def _numbers(cell: _Cell) -> Iterator[Edit]:
    infinite = [ast.parse(one, mode="eval").body for one in ('float("inf")', 'float("-inf")')]
    given = [one for one in cell.ingredients if isinstance(one, ast.Constant)]
    for slot in _expressions(cell):
        node = slot.node
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, bool):
            yield cell.other(slot, ast.Constant(not value))
        elif isinstance(value, int | float):
            near = [value - 1, value + 1, 0, 1, *((1000, 100) if value in (1, 10, 100, 1000) else ())]
            factor = isinstance(slot.parent, ast.BinOp) and isinstance(slot.parent.op, ast.Mult | ast.Div)
            for other in dict.fromkeys(near):
                if other != value and not (factor and other == 1):
                    yield cell.other(slot, ast.Constant(other))
            for other in [*infinite, ast.Constant(None), *given]:
                yield cell.other(slot, other)
        elif isinstance(node, ast.Constant) and value is None and isinstance(slot.parent, ast.Assign | ast.Tuple):
            for other in [*infinite, ast.Constant(0)]:
                yield cell.other(slot, other)
        elif ast.unparse(node) in ("float('inf')", "float('-inf')", "np.inf", "-np.inf", "math.inf", "-math.inf",
                                   "-float('inf')"):  # fmt: skip
            for other in [*infinite, ast.Constant(None), ast.Constant(0)]:
                if ast.unparse(other) != ast.unparse(node):
                    yield cell.other(slot, other)


def _arguments(cell: _Cell) -> Iterator[Edit]:
    for slot in _expressions(cell):
        node = slot.node
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if len(node.args) >= 2:
            swapped = ast.Call(node.func, [node.args[1], node.args[0], *node.args[2:]], node.keywords)
            yield cell.other(slot, swapped)
            if slot.field == "test":
                yield cell.other(slot, ast.UnaryOp(ast.Not(), swapped))
        for family in _FAMILIES:
            for other in family if name in family else ():
                if other == name:
                    continue
                if isinstance(node.func, ast.Attribute):
                    yield cell.other(slot, ast.Call(ast.Attribute(node.func.value, other, ast.Load()), node.args, node.keywords))
                else:
                    yield cell.other(slot, ast.Call(ast.Name(other, ast.Load()), node.args, node.keywords))
        if len(node.args) == 1 and slot.field != "value":
            yield cell.other(slot, node.args[0])
        elif len(node.args) == 1 and not isinstance(slot.parent, ast.Expr):
            yield cell.other(slot, node.args[0])
        for number, keyword in enumerate(node.keywords):
            if keyword.arg not in ("self",):
                rest = [*node.keywords[:number], *node.keywords[number + 1 :]]
                yield cell.other(slot, ast.Call(node.func, node.args, rest))


def _operators(cell: _Cell) -> Iterator[Edit]:
    for slot in cell.slots:
        node = slot.node
        if isinstance(node, ast.BinOp):
            yield cell.other(slot, node.left)
            yield cell.other(slot, node.right)
            for other in _REACHED.get(type(node.op), ()):
                yield cell.other(slot, ast.BinOp(node.left, other(), node.right))
            if isinstance(node.op, ast.Sub | ast.Div):
                yield cell.other(slot, ast.BinOp(node.right, node.op, node.left))
            inner = node.left
            if isinstance(inner, ast.BinOp) and isinstance(node.op, ast.Sub | ast.Mult | ast.Add):  # brackets
                yield cell.other(slot, ast.BinOp(inner.left, inner.op, ast.BinOp(inner.right, node.op, node.right)))
            if isinstance(node.right, ast.BinOp):
                right = node.right
                yield cell.other(slot, ast.BinOp(ast.BinOp(node.left, node.op, right.left), right.op, right.right))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield cell.other(slot, node.operand)
        elif isinstance(node, ast.AugAssign):
            target, line = copy.deepcopy(node.target), cell.line(node)
            for other in _REACHED.get(type(node.op), ()):
                made = ast.AugAssign(target, other(), node.value)
                yield Edit([slot.holding(made)], f"write `{ast.unparse(made)}` in place of {line}.")
            made = ast.Assign([target], node.value)
            yield Edit([slot.holding(made)], f"write `{ast.unparse(ast.fix_missing_locations(made))}` in place of {line}.")
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Attribute):
            made = ast.AugAssign(copy.deepcopy(node.targets[0]), ast.Add(), ast.Constant(1))
            yield Edit([slot.holding(made)], f"write `{ast.unparse(made)}` in place of {cell.line(node)}.")


def _handlers(cell: _Cell) -> Iterator[Edit]:
    for slot in cell.slots:
        node = slot.node
        if isinstance(node, ast.ExceptHandler):
            kind = ast.unparse(node.type) if node.type else ""
            row = f"except {kind}:".replace(" :", ":")
            for name in ("OSError", "BaseException", "Exception"):
                if name != kind:
                    yield Edit([slot.holding(ast.ExceptHandler(ast.Name(name, ast.Load()), node.name, node.body))],
                               f"write `except {name}:` in place of `{row}`.")  # fmt: skip
            last = node.body[-1]
            if not isinstance(last, ast.Raise | ast.Return):
                body = [one for one in node.body if not isinstance(one, ast.Pass)]
                again = ast.copy_location(ast.Raise(), last)
                yield Edit([(node, "body", [*body, again])], f"below `{row}`, raise the error again: a line `raise`.")
            elif isinstance(last, ast.Raise):
                yield Edit([(node, "body", [*node.body[:-1], ast.copy_location(ast.Pass(), last)])],
                           f"below `{row}`, let the error end there, without {cell.line(last)}.")  # fmt: skip
        if isinstance(node, ast.Try) and node.finalbody:
            yield Edit(
                [(node, "finalbody", [])] if node.handlers else [slot.holding(*node.body)],
                f"leave out what stands below `finally:`, {cell.line(node.finalbody[0])}: it is done when all went "
                "well, too.",
            )
    for slot in cell.slots:
        node = slot.node
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and slot.function is not None:
            caught = ast.Try([node], [ast.ExceptHandler(ast.Name("OSError", ast.Load()), None, [ast.Pass()])], [], [])
            yield Edit([slot.holding(caught)], f"{cell.line(node)} may raise an `OSError`, too: put it into a "
                                               "`try:` with `except OSError:`.")  # fmt: skip


def _rows(cell: _Cell) -> Iterator[tuple[_Slot, list]]:
    """Yield each statement of a function with the row of statements in which it stands."""
    for slot in cell.slots:
        if isinstance(slot.node, ast.stmt) and slot.index is not None and slot.function is not None:
            yield slot, getattr(slot.parent, slot.field)


def _left_out(cell: _Cell) -> Iterator[Edit]:
    for slot, row in _rows(cell):
        if isinstance(slot.node, ast.FunctionDef):
            continue
        rest = (ast.Pass(),) if len(row) == 1 else ()
        what = "what begins with " if hasattr(slot.node, "body") else ""
        yield Edit([slot.holding(*rest)], f"leave out {what}{cell.line(slot.node)}.")
    for slot in cell.slots:
        if isinstance(slot.parent, ast.ClassDef) and isinstance(slot.node, ast.stmt) and len(slot.parent.body) > 1:
            yield Edit([slot.holding()], f"leave out what begins with {cell.line(slot.node)}.")
        if isinstance(slot.node, ast.Assign) and isinstance(slot.node.value, ast.Tuple) and isinstance(slot.node.targets[0], ast.Tuple):
            left, right = slot.node.targets[0].elts, slot.node.value.elts
            for number in range(len(left)) if len(left) == len(right) > 1 else ():
                made = ast.Assign([ast.Tuple([*left[:number], *left[number + 1 :]], ast.Store())],
                                  ast.Tuple([*right[:number], *right[number + 1 :]], ast.Load()))  # fmt: skip
                yield Edit([slot.holding(made)], f"in {cell.line(slot.node)}, leave `{ast.unparse(left[number])}` as "
                                                 "it is.")  # fmt: skip


def _afresh(cell: _Cell) -> Iterator[Edit]:
    """Set in `on_train_begin` what `__init__` or the class sets once, and keep state in the object, not in the class."""
    for slot in cell.slots:
        if not isinstance(slot.node, ast.ClassDef):
            continue
        body = slot.node.body
        methods = {one.name: one for one in body if isinstance(one, ast.FunctionDef)}
        fields = [(s.parent, s.field, ast.copy_location(ast.Name("self", ast.Load()), s.node)) for s in cell.slots
                  if isinstance(s.parent, ast.Attribute) and isinstance(s.node, ast.Name) and s.node.id == slot.node.name]  # fmt: skip
        kept = sorted({f"`self.{node.attr}`" for node, _, _ in fields})
        told = f"keep {' and '.join(kept)} in the object, not in the class, which all objects and fits share" if fields else ""
        state: list[ast.stmt] = []
        for one in [*body, *(methods["__init__"].body if "__init__" in methods else ())]:
            if isinstance(one, ast.Assign) and not any(isinstance(n, ast.Name) and n.id not in ("np", "math", "float", "self", "list", "dict", "set") for n in ast.walk(one.value)):
                first = copy.deepcopy(one)
                first.targets = [ast.copy_location(ast.Attribute(ast.copy_location(ast.Name("self", ast.Load()), n), n.id, ast.Store()), n)
                                 if isinstance(n, ast.Name) else n for n in first.targets]  # fmt: skip
                if all(isinstance(n, ast.Attribute | ast.Tuple) for n in first.targets):
                    state.append(first)
        if not state:
            if fields:
                yield Edit(fields, told + ".")
            continue
        names = ", ".join(f"`{ast.unparse(n)}`" for one in state for n in one.targets)
        words = f"set {names} in `on_train_begin`, so that each fit begins afresh"
        words = (f"{told}, and {words}" if told else words) + "."
        if "on_train_begin" in methods:
            there = methods["on_train_begin"]
            yield Edit([*fields, (there, "body", [*state, *there.body])], words)
            continue
        made = ast.parse("def on_train_begin(self, logs=None):\n    pass").body[0]
        made.body = state
        made = ast.increment_lineno(made, 0)
        yield Edit([*fields, (slot.node, "body", [*body, made])], words)


def _moved(cell: _Cell) -> Iterator[Edit]:
    """Let a statement stand one step further out, or in, or belong to the branch before it."""
    for slot, row in _rows(cell):
        node, at = slot.node, slot.index
        if isinstance(node, ast.FunctionDef):
            continue
        line = cell.line(node)
        outer = next((s for s in cell.slots if s.node is slot.parent and s.index is not None), None)
        if outer is not None and isinstance(outer.node, ast.stmt) and not isinstance(outer.node, ast.FunctionDef | ast.ClassDef):
            rest = [*row[:at], *row[at + 1 :]] or [ast.copy_location(ast.Pass(), node)]
            around = getattr(outer.parent, outer.field)
            for step, where in ((1, "after"), (0, "before")):
                moved = [*around[: outer.index + step], node, *around[outer.index + step :]]
                yield Edit([(slot.parent, slot.field, rest), (outer.parent, outer.field, moved)],
                           f"{line} should stand {where} what begins with {cell.line(outer.node)}, not inside.")  # fmt: skip
        if at and not _is_turn(row[at - 1]):
            swapped = [*row[: at - 1], node, row[at - 1], *row[at + 1 :]]
            yield Edit([(slot.parent, slot.field, swapped)], f"{line} should stand before {cell.line(row[at - 1])}.")
        if at and isinstance(row[at - 1], ast.If | ast.For | ast.While | ast.Try | ast.With):
            before = row[at - 1]
            rest = (slot.parent, slot.field, [*row[:at], *row[at + 1 :]])
            inner = before.orelse if isinstance(before, ast.If) and before.orelse else before.body
            field = "orelse" if inner is not before.body else "body"
            yield Edit([rest, (before, field, [*inner, node])],
                       f"{line} belongs inside what begins with {cell.line(before)}, at its end.")  # fmt: skip
            if field == "orelse":
                yield Edit([rest, (before, "body", [*before.body, node])],
                           f"{line} belongs below {cell.line(before)}, at its end.")  # fmt: skip
            elif isinstance(before, ast.If):
                yield Edit([rest, (before, "orelse", [node])], f"{line} belongs into an `else:` of {cell.line(before)}.")
        if at + 1 < len(row) and isinstance(row[at + 1], ast.If | ast.For | ast.Try | ast.With):
            yield Edit([(slot.parent, slot.field, [*row[:at], *row[at + 1 :]]), (row[at + 1], "body", [node, *row[at + 1].body])],
                       f"{line} belongs inside what begins with {cell.line(row[at + 1])}.")  # fmt: skip


def _given_back(cell: _Cell) -> Iterator[Edit]:
    for slot, row in _rows(cell):
        node = slot.node
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "print":
            for value in node.value.args[:1]:
                yield Edit([slot.holding(ast.Return(copy.deepcopy(value)))],
                           f"{cell.line(node)} only shows it: `return` gives it back and ends the function.")  # fmt: skip
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            made = ast.copy_location(ast.Return(ast.copy_location(ast.Name(node.targets[0].id, ast.Load()), node)), node)
            for at in range(slot.index + 1, len(row) + 1):
                yield Edit([(slot.parent, slot.field, [*row[:at], made, *row[at:]])],
                           f"a line `return {node.targets[0].id}` is missing after {cell.line(row[at - 1])}.")  # fmt: skip
    for slot in cell.slots:
        if isinstance(slot.node, ast.FunctionDef):
            for name in _own_names(slot.node):
                made = ast.copy_location(ast.Return(ast.copy_location(ast.Name(name, ast.Load()), slot.node)), slot.node)
                yield Edit([(slot.node, "body", [*slot.node.body, made])], f"`{slot.node.name}` lacks a `return {name}` at its end.")


def _ingredients(cell: _Cell) -> Iterator[Edit]:
    for slot in _expressions(cell):
        if isinstance(slot.node, ast.Constant | ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.BinOp | ast.List | ast.Tuple | ast.Compare):
            for other in cell.ingredients:
                if isinstance(slot.node, ast.Compare) and not isinstance(other, ast.Call | ast.Compare):
                    continue
                if ast.unparse(other) != ast.unparse(slot.node) and slot.field != "func":
                    yield cell.other(slot, other)


def _more_or_less(cell: _Cell) -> Iterator[Edit]:
    for slot in _expressions(cell):
        if isinstance(slot.parent, ast.Return | ast.Compare) and isinstance(slot.node, ast.Name | ast.Attribute | ast.Call | ast.BinOp):
            for op in (ast.Add(), ast.Sub()):
                yield cell.other(slot, ast.BinOp(slot.node, op, ast.Constant(1)))
            for name in ("max", "min") if isinstance(slot.parent, ast.Return) else ():
                yield cell.other(slot, ast.Call(ast.Name(name, ast.Load()), [ast.Constant(1), slot.node], []))


def _placed(cell: _Cell) -> Iterator[Edit]:
    """Let a simple statement stand elsewhere in its function."""
    simple = ast.Assign | ast.AugAssign | ast.Expr | ast.Return
    rows = [(slot, row) for slot, row in _rows(cell) if isinstance(slot.node, simple)]
    for slot, row in rows:
        for other, there in _rows(cell):
            if other.function is not slot.function or other.node is slot.node:
                continue
            words = f"{cell.line(slot.node)} should stand before {cell.line(other.node)}."
            if other.parent is slot.parent and other.field == slot.field:
                rest = [one for one in row if one is not slot.node]
                at = rest.index(other.node)
                yield Edit([(slot.parent, slot.field, [*rest[:at], slot.node, *rest[at:]])], words)
            elif slot.parent is not other.node:
                rest = [one for one in row if one is not slot.node] or [ast.copy_location(ast.Pass(), slot.node)]
                at = there.index(other.node)
                yield Edit([(slot.parent, slot.field, rest), (other.parent, other.field, [*there[:at], slot.node, *there[at:]])], words)
