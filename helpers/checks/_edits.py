"""Small changes to a learner's code, the likeliest slips first: `_repair` tries which of them alone makes it right.

Each change is made in the tree itself and undone again, so whoever takes one compiles the tree before asking for the
next. The words are made only for the change that helped; they say what belongs there, and are true since it was tried.
"""

from __future__ import annotations

import ast
import copy
import difflib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from helpers.checks._blame import HOOKS, meant_hook

__all__ = ["Edit", "edits"]

NAMES = ("loss", "accuracy", "val_loss", "val_accuracy")
_MOVED = ("on_epoch_end", "on_train_begin", "on_train_batch_end", "on_train_batch_begin", "on_train_end")
_ABOUT = {
    "on_epoch_begin": "At the beginning of an epoch `logs` is still empty",
    "on_train_batch_begin": "Before a batch `logs` is empty",
    "on_train_batch_end": "It is called after each batch, when nothing has been validated yet",
    "on_batch_end": "It is called after each batch, when nothing has been validated yet",
    "on_test_begin": "It belongs to the validation, and its `logs` is empty",
    "on_test_end": "It gets the results of the validation alone, in a dictionary of their own and without `val_`",
    "on_test_batch_end": "It is called after each batch of the validation",
    "on_predict_end": "`fit` never calls it",
    "on_train_begin": "It is called once in a fit, before the first epoch",
    "on_train_end": "It is called once in a fit, after the last epoch",
    "on_epoch_end": "It is called after each epoch",
}
_OPS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
_INVERSE = {ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq,
            ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In}  # fmt: skip
_OTHERS = {"min": "max", "max": "min", "argmin": "argmax", "argmax": "argmin", "minimum": "maximum",
           "maximum": "minimum", "floor": "ceil", "ceil": "floor"}  # fmt: skip
_INFINITY = ast.parse('float("inf")', mode="eval").body
_MINUS_INFINITY = ast.parse('-float("inf")', mode="eval").body


@dataclass(frozen=True)
class Edit:
    """A change that stands in the tree now: the line (from 1) of the file where it is, and what makes its words."""

    line: int
    words: Callable[[], str]


@dataclass(frozen=True)
class _Place:
    """Where a node hangs: the field of its parent, and its number there if that is a list."""

    parent: ast.AST
    name: str
    number: int | None
    node: ast.AST

    def put(self, node: ast.AST) -> None:
        if self.number is None:
            setattr(self.parent, self.name, node)
        else:
            getattr(self.parent, self.name)[self.number] = node


def _places(tree: ast.AST) -> list[_Place]:
    found = []
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            for number, node in enumerate(value if isinstance(value, list) else [value]):
                if isinstance(node, ast.AST):
                    found.append(_Place(parent, name, number if isinstance(value, list) else None, node))
    return found


def edits(tree: ast.Module, pieces: Mapping[str, str]) -> Iterator[Edit]:
    """Yield one change after the other, each made in the tree and undone before the next.

    Args:
        tree: definitions of the learner's; the last one is the answer.
        pieces: right expressions of this exercise, each with words that end "there belongs ...". `{0}`, `{1}` stand
            for the arguments of the function they are put into, `self` not counted.
    """
    places = [one for one in _places(tree) if hasattr(one.node, "lineno") or isinstance(one.node, ast.arguments)]
    yield from _hooks(tree)
    yield from _own_variables(tree)
    for place in places:
        if isinstance(place.node, ast.BinOp) and isinstance(place.node.right, ast.Constant):
            yield from _one(place, place.node.left, _should(place.node, place.node.left))
    for place in places:
        for node, words in _slips(place, tree):
            yield from _one(place, node, words)
    yield from _reset(tree)
    yield from _pieces(tree, pieces)
    yield from _statements(tree, _moved_lines)
    yield from _out_of_a_block(tree)
    yield from _names(tree)
    yield from _other_metric(tree)
    for slips in (_numbers, _one_more):
        for place in places:
            for node, words in slips(place):
                yield from _one(place, node, words)
    yield from _statements(tree, _left_out)


def _one(place: _Place, node: ast.AST, words: Callable[[], str]) -> Iterator[Edit]:
    ast.copy_location(node, place.node)
    place.put(node)
    try:
        yield Edit(getattr(place.node, "lineno", 0) or place.parent.lineno, words)
    finally:
        place.put(place.node)


def _should(old: ast.AST, new: ast.AST) -> Callable[[], str]:
    return lambda: f"`{ast.unparse(old)}` should be `{ast.unparse(new)}`."


# -- methods of a class ------------------------------------------------------------------------------------------------


def _methods(tree: ast.Module) -> Iterator[tuple[ast.ClassDef, list[ast.FunctionDef]]]:
    for kind in tree.body:
        if isinstance(kind, ast.ClassDef):
            yield kind, [one for one in kind.body if isinstance(one, ast.FunctionDef)]


def _hooks(tree: ast.Module) -> Iterator[Edit]:
    """Give a hook its right name, or another moment; and let it call what it replaces."""
    for kind, methods in _methods(tree):
        for method in methods:
            meant = None if method.name in HOOKS else meant_hook(method.name)
            if meant and method.name.startswith(("on", "_on", "On")):
                yield from _moved(kind, method, meant)
        for method in methods:
            if method.name in HOOKS:
                yield from _with_super(method)
                for hook in _moments(method):
                    if hook != method.name:
                        yield from _moved(kind, method, hook)


def _moments(method: ast.FunctionDef) -> tuple[str, ...]:
    """Return the hooks in which a method may belong: one that sets a first value does so before what it counts."""
    plain = all(isinstance(line, ast.Assign | ast.Pass) for line in method.body)
    read = {node.id for line in method.body for node in ast.walk(line) if isinstance(node, ast.Name)}
    if not plain or "logs" in read:
        return tuple(hook for hook in _MOVED if hook != "on_train_begin")
    clock = any(isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node.attr != "inf"
                for line in method.body for node in ast.walk(line))  # fmt: skip
    return ("on_train_begin", "on_train_batch_begin") if clock else ("on_train_begin",)


def _moved(kind: ast.ClassDef, method: ast.FunctionDef, hook: str) -> Iterator[Edit]:
    there = next((one for one in kind.body if isinstance(one, ast.FunctionDef) and one.name == hook), None)
    name, was_there = method.name, kind.body[:]
    arguments = method.args.args[:], method.args.defaults[:]
    indexed, was = "logs=None)" in HOOKS[hook] and HOOKS[hook].count(",") == 2, len(arguments[0]) > 2
    if indexed and not was:
        method.args.args[1:1] = [ast.arg("_number", lineno=method.lineno, col_offset=0)]
    elif was and not indexed and name in HOOKS:
        del method.args.args[1]
    method.name = hook
    if there is not None:
        both = copy.copy(there)
        both.body = [*there.body, *method.body]
        kind.body = [both if one is there else one for one in kind.body if one is not method]
    try:
        yield Edit(method.lineno, lambda: _about_the_hook(name, hook))
    finally:
        method.name, method.args.args, method.args.defaults = name, arguments[0], arguments[1]
        kind.body = was_there


def _about_the_hook(name: str, hook: str) -> str:
    if name not in HOOKS:
        return f"Keras knows no hook `{name}`, so nobody calls it. Its name is `{hook}`."
    about = _ABOUT.get(name, "It is called at another moment")
    if hook in ("on_train_begin", "on_train_batch_begin"):
        each = {"epoch": "in every epoch", "batch": "at every batch"}.get(name.split("_")[-2], "then")
        about = f"It is called {each}" if each != "then" else about
    return f"{about}: what stands in `{name}` belongs in `{hook}`."


def _with_super(method: ast.FunctionDef) -> Iterator[Edit]:
    if any(isinstance(node, ast.Name) and node.id == "super" for node in ast.walk(method)):
        return
    names = ", ".join(one.arg for one in method.args.args[1:])
    call = ast.parse(f"super().{method.name}({names})").body[0]
    before = method.body
    for body in ([call, *before], [*before, call]):
        for node in ast.walk(call):
            ast.copy_location(node, method)
        method.body = body
        try:
            yield Edit(method.lineno, lambda: (
                f"Your `{method.name}` takes the place of the parent's, which is not called any more. Call it: "
                f"`super().{method.name}({names})`."
            ))  # fmt: skip
        finally:
            method.body = before


def _own_variables(tree: ast.Module) -> Iterator[Edit]:
    """Write `self.name` where a method sets a variable of its own that has the name of an attribute."""
    for kind, methods in _methods(tree):
        known = {node.attr for node in ast.walk(kind) if isinstance(node, ast.Attribute)} | {
            target.id for one in kind.body if isinstance(one, ast.Assign) for target in one.targets
            if isinstance(target, ast.Name)
        }  # fmt: skip
        for method in methods:
            stored = {node.id: node.lineno for node in ast.walk(method)
                      if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}  # fmt: skip
            names = [name for name in stored if name in known]
            for chosen in [names, *([name] for name in names if len(names) > 1)] if names else []:
                yield from _on_self(method, chosen, stored[chosen[0]])


def _on_self(method: ast.FunctionDef, names: Sequence[str], line: int) -> Iterator[Edit]:
    changed = [place for place in _places(method) if isinstance(place.node, ast.Name) and place.node.id in names]
    for place in changed:
        new = ast.Attribute(ast.Name("self", ast.Load()), place.node.id, place.node.ctx)
        place.put(ast.fix_missing_locations(ast.copy_location(new, place.node)))
    try:
        listed = " and ".join(f"`{name}`" for name in names)
        yield Edit(line, lambda: (
            f"{listed} without `self.` {'is a variable' if len(names) == 1 else 'are variables'} of this method alone, "
            f"gone when it ends. Write `self.{names[0]}`."
        ))  # fmt: skip
    finally:
        for place in changed:
            place.put(place.node)


# -- expressions -------------------------------------------------------------------------------------------------------

_Slip = tuple[ast.AST, Callable[[], str]]


def _slips(place: _Place, tree: ast.Module) -> Iterator[_Slip]:
    """Yield what may have been meant in the place of an expression."""
    node = place.node
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield from _comparisons(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = node.operand
        if isinstance(inner, ast.Compare) and len(inner.ops) == 1:
            plain = ast.Compare(inner.left, [_INVERSE[type(inner.ops[0])]()], inner.comparators)
            yield (
                plain,
                lambda: (
                    f"`{ast.unparse(node)}` should be `{ast.unparse(plain)}`. With NaN, or with a tie, the two differ: "
                    "every comparison with NaN is false."
                ),
            )
        yield inner, lambda: f"The condition is the wrong way round: `{ast.unparse(inner)}`, without `not`."
    elif isinstance(node, ast.BoolOp):
        other = ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        yield other, _should(node, other)
        for one in node.values if len(node.values) == 2 else ():
            yield one, _should(node, one)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str | bool | None.__class__):
        yield from _texts(node, place, tree)
    elif isinstance(node, ast.Call):
        yield from _calls(node)
    elif isinstance(node, ast.Expr):
        yield from _idle(node)
    elif isinstance(node, ast.arguments):
        yield from _swapped_arguments(node)
    if (
        place.name == "value"
        and isinstance(place.parent, ast.Assign)
        and (isinstance(node, ast.IfExp) or ast.unparse(node) in ("float('inf')", "-float('inf')", "np.inf", "-np.inf"))
    ):
        yield ast.Constant(None), _should(node, ast.Constant(None))
    if isinstance(place.parent, ast.If | ast.While | ast.IfExp) and place.name == "test":
        yield from _conditions(node)
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and place.name == "test":
        called = ast.Call(node, [], [])
        yield (
            called,
            lambda: (
                f"`{ast.unparse(node)}` without brackets is the function itself, and that always counts as true. "
                "Call it: "
                f"`{ast.unparse(called)}`."
            ),
        )


def _conditions(test: ast.AST) -> Iterator[_Slip]:
    turned = ast.UnaryOp(ast.Not(), test)
    if not isinstance(test, ast.UnaryOp):
        yield turned, lambda: f"The condition `{ast.unparse(test)}` is the wrong way round."
    if isinstance(test, ast.Name) and test.id in ("epoch", "batch"):
        yield (
            ast.Constant(True),
            lambda: f"`{test.id}` is 0 in the first one, and 0 counts as false: leave the `if` out.",
        )
    if isinstance(test, ast.Name | ast.Attribute):
        given = ast.Compare(test, [ast.IsNot()], [ast.Constant(None)])
        yield given, lambda: f"A 0 counts as false, too. Ask `{ast.unparse(given)}`."
    elif isinstance(test, ast.UnaryOp) and isinstance(test.operand, ast.Name | ast.Attribute | ast.Subscript):
        missing = ast.Compare(test.operand, [ast.Is()], [ast.Constant(None)])
        yield missing, lambda: f"A 0 counts as false, too. Ask `{ast.unparse(missing)}`."
    yield ast.Constant(True), lambda: f"Without the condition `{ast.unparse(test)}` it is right: do it each time."


def _comparisons(node: ast.Compare) -> Iterator[_Slip]:
    """Yield other signs, the nearest first."""
    left, right = node.left, node.comparators[0]
    near = {ast.Gt: (ast.GtE, ast.Lt, ast.LtE), ast.GtE: (ast.Gt, ast.LtE, ast.Lt), ast.Lt: (ast.LtE, ast.Gt, ast.GtE),
            ast.LtE: (ast.Lt, ast.GtE, ast.Gt), ast.Eq: (ast.GtE, ast.LtE, ast.NotEq),
            ast.NotEq: (ast.Eq, ast.Lt, ast.Gt), ast.Is: (ast.IsNot, ast.Eq), ast.IsNot: (ast.Is, ast.NotEq),
            ast.In: (ast.NotIn,), ast.NotIn: (ast.In,)}  # fmt: skip
    for kind in near[type(node.ops[0])]:
        new = ast.Compare(left, [kind()], [right])
        if kind in _OPS and type(node.ops[0]) in _OPS:
            yield (
                new,
                lambda new=new, kind=kind: (
                    f"`{_OPS[kind]}` belongs there, not `{_OPS[type(node.ops[0])]}`: `{ast.unparse(new)}`."
                ),
            )
        else:
            yield new, _should(node, new)
    if isinstance(right, ast.Constant) and right.value in (True, "True") and isinstance(node.ops[0], ast.Eq | ast.Is):
        yield left, _should(node, left)
    if isinstance(right, ast.Constant) and right.value in (False, "False") and isinstance(node.ops[0], ast.Eq | ast.Is):
        new = ast.UnaryOp(ast.Not(), left)
        yield new, _should(node, new)


def _texts(node: ast.Constant, place: _Place, tree: ast.Module) -> Iterator[_Slip]:
    others: list = []
    if isinstance(node.value, bool):
        others = [not node.value]
    elif node.value in ("True", "False"):
        others = [node.value == "True"]
    elif isinstance(node.value, str):
        used = [one.value for one in ast.walk(tree) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        known = [*NAMES, *used] if node.value in NAMES else [
            *difflib.get_close_matches(node.value, [*NAMES, *used], n=3, cutoff=0.6)
        ]  # fmt: skip
        others = [text for text in dict.fromkeys(known) if text != node.value and " " not in text]
    if isinstance(node.value, str) and isinstance(place.parent, ast.Subscript):
        others = [*others, 0]
    for value in others:
        new = ast.Constant(value)
        yield new, lambda new=new: f"`{ast.unparse(new)}` belongs there, not `{ast.unparse(node)}`."


def _calls(node: ast.Call) -> Iterator[_Slip]:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if name in ("round", "int", "float", "str", "abs", "bool", "isfinite") and node.args:
        yield node.args[0], _should(node, node.args[0])
    if name in _OTHERS:
        called = (
            ast.Name(_OTHERS[name], ast.Load()) if isinstance(node.func, ast.Name)
            else ast.Attribute(node.func.value, _OTHERS[name], ast.Load())
        )  # fmt: skip
        new = ast.Call(called, node.args, node.keywords)
        yield new, _should(node, new)
    if len(node.args) == 2 and not node.keywords:
        turned = ast.Call(node.func, node.args[::-1], [])
        yield turned, lambda: f"The two are in each other's place: `{ast.unparse(turned)}`, not `{ast.unparse(node)}`."
    if name == "insert" and len(node.args) == 2:
        new = ast.Call(ast.Attribute(node.func.value, "append", ast.Load()), node.args[1:], [])
        yield (
            new,
            lambda: (
                f"`{ast.unparse(node.func)}` with `{ast.unparse(node.args[0])}` puts it there in the list, in front "
                "of what "
                f"follows; `append` puts it at the end: `{ast.unparse(new)}`."
            ),
        )
    if not node.args and not node.keywords and isinstance(node.func, ast.Attribute):
        yield node.func, lambda: f"`{ast.unparse(node.func)}` is no function, so it is not called: no brackets."


def _idle(node: ast.Expr) -> Iterator[_Slip]:
    """Yield what a line was meant to do that computes something and throws it away."""
    value = node.value
    if isinstance(value, ast.Compare) and len(value.ops) == 1 and isinstance(value.ops[0], ast.Eq):
        target = copy.deepcopy(value.left)
        if isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
            target.ctx = ast.Store()
            new = ast.Assign([target], value.comparators[0])
            yield (
                new,
                lambda: (
                    "`==` only compares. To set a value, write one `=`: "
                    f"`{ast.unparse(ast.fix_missing_locations(new))}`."
                ),
            )
    if isinstance(value, ast.Call) and getattr(value.func, "attr", "") == "stop_training":
        flag = ast.Attribute(value.func.value, "stop_training", ast.Store())
        yield (
            ast.Assign([flag], ast.Constant(True)),
            lambda: "`stop_training` is a flag, not a function: set it, `self.model.stop_training = True`.",
        )
    if isinstance(value, ast.Attribute) and value.attr == "stop_training":
        yield (
            ast.Assign([ast.Attribute(value.value, value.attr, ast.Store())], ast.Constant(True)),
            lambda: "This line names the flag and does not set it: `self.model.stop_training = True`.",
        )
    if isinstance(value, ast.Call) and getattr(value.func, "id", "") == "print" and value.args:
        yield (
            ast.Return(value.args[0]),
            lambda: f"`print` shows a value and gives nothing back: `return {ast.unparse(value.args[0])}`.",
        )
    if not isinstance(value, ast.Constant):
        yield ast.Return(value), lambda: f"The value is computed and thrown away: `return {ast.unparse(value)}`."


def _swapped_arguments(node: ast.arguments) -> Iterator[_Slip]:
    listed = [one for one in node.args if one.arg != "self"]
    if len(listed) == 2:
        turned = copy.copy(node)
        turned.args = [*node.args[: len(node.args) - 2], *listed[::-1]]
        yield (
            turned,
            lambda: (
                f"The arguments come in the other order: first what you call `{listed[1].arg}`, then `{listed[0].arg}`."
            ),
        )


def _numbers(place: _Place) -> Iterator[_Slip]:
    """Yield other numbers, and sums without one part or with one more."""
    node = place.node
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        others = (10, 100, 1000, 60) if node.value in (10, 100, 1000, 60) else ()
        for value in (_INFINITY, _MINUS_INFINITY, None, node.value + 1, node.value - 1, 0, 1, *others):
            new = copy.deepcopy(value) if isinstance(value, ast.AST) else ast.Constant(value)
            if isinstance(value, ast.AST) or value is None or value != node.value:
                yield ast.fix_missing_locations(ast.copy_location(new, node)), _should(node, new)
    if isinstance(node, ast.Call) and ast.unparse(node) in ("float('inf')", "float('-inf')"):
        new = copy.deepcopy(_MINUS_INFINITY if "-" not in node.args[0].value else _INFINITY)
        yield ast.fix_missing_locations(ast.copy_location(new, node)), _should(node, new)
    if isinstance(node, ast.BinOp):
        yield from _sums(node)


def _one_more(place: _Place) -> Iterator[_Slip]:
    """Yield a number with 1 added, or taken away."""
    node = place.node
    if (place.name == "value" and isinstance(place.parent, ast.Return)) or isinstance(node, ast.Call | ast.Attribute):
        if isinstance(getattr(node, "ctx", None), ast.Store) or place.name in ("func", "test"):
            return
        logical = ast.BoolOp | ast.UnaryOp
        if isinstance(node, ast.Compare | logical) or isinstance(place.parent, logical):
            return  # that is yes or no
        for sign in (ast.Add(), ast.Sub()):
            new = ast.BinOp(node, sign, ast.Constant(1))
            yield (
                ast.fix_missing_locations(ast.copy_location(new, node)),
                lambda new=new: f"`{ast.unparse(new)}` belongs there, not `{ast.unparse(node)}`.",
            )


def _sums(node: ast.BinOp) -> Iterator[_Slip]:
    for part in (node.left, node.right):
        yield part, _should(node, part)
    other = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.FloorDiv, ast.FloorDiv: ast.Mod,
             ast.Mod: ast.FloorDiv}.get(type(node.op))  # fmt: skip
    if other:
        new = ast.BinOp(node.left, other(), node.right)
        yield new, _should(node, new)
    if isinstance(node.op, ast.Sub | ast.Div | ast.FloorDiv):
        new = ast.BinOp(node.right, node.op, node.left)
        yield new, _should(node, new)


# -- statements --------------------------------------------------------------------------------------------------------


def _bodies(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            if isinstance(getattr(node, name, None), list) and not isinstance(node, ast.Module | ast.ClassDef):
                yield node, name


_Lines = Iterator[tuple[list, Callable[[], str]]]


def _statements(tree: ast.Module, changes: Callable[[list, int], _Lines]) -> Iterator[Edit]:
    """Put other lines in the place of those of each block, as `changes` says of a block and a number in it."""
    for owner, name in list(_bodies(tree)):
        body = getattr(owner, name)
        for number, line in enumerate(body):
            for changed, words in changes(body, number):
                setattr(owner, name, changed)
                try:
                    yield Edit(line.lineno, words)
                finally:
                    setattr(owner, name, body)


def _moved_lines(body: list, number: int) -> _Lines:
    """Yield a block with two lines in the other order, or with an `if` that belongs to the one above it, or not."""
    line = body[number]
    if isinstance(line, ast.Assign) and all(isinstance(one, ast.Name) for one in line.targets) and len(body) > 1:
        yield (
            [*body[:number], *body[number + 1 :]],
            lambda: (
                f"`{ast.unparse(line.targets[0])}` means something else below this line. Without this it is right: "
                "leave the line out."
            ),
        )
    if number + 1 < len(body):
        after = body[number + 1]
        if not isinstance(after, ast.Return | ast.Raise | ast.Continue | ast.Break):
            yield (
                [*body[:number], after, line, *body[number + 2 :]],
                lambda: "This line comes too early: it belongs below the next one.",
            )
        if isinstance(after, ast.If):
            inner = ast.copy_location(ast.If(after.test, [line, *after.body], after.orelse), after)
            yield (
                [*body[:number], inner, *body[number + 2 :]],
                lambda: f"This is done in every case. It belongs below `if {ast.unparse(after.test)}`.",
            )
        if isinstance(line, ast.If) and isinstance(after, ast.If) and not line.orelse:
            both = ast.copy_location(ast.If(line.test, line.body, [after]), line)
            yield (
                [*body[:number], both, *body[number + 2 :]],
                lambda: (
                    f"Both `if` are asked, one after the other. The second, `if {ast.unparse(after.test)}`, is for the "
                    "other case alone: `elif`."
                ),
            )
    if isinstance(line, ast.If) and len(line.orelse) == 1 and isinstance(line.orelse[0], ast.If):
        apart = ast.copy_location(ast.If(line.test, line.body, []), line)
        yield (
            [*body[:number], apart, line.orelse[0], *body[number + 1 :]],
            lambda: "`elif` is asked only where the first condition is false. Both should be asked: `if`.",
        )


def _left_out(body: list, number: int) -> _Lines:
    """Yield a block without a line, or without its condition."""
    line, rest = body[number], [*body[:number], *body[number + 1 :]]
    if isinstance(line, ast.If):
        yield (
            [*body[:number], *line.body, *body[number + 1 :]],
            lambda: (
                f"What stands below `if {ast.unparse(line.test)}` should be done each time, without this condition."
            ),
        )
    block = isinstance(line, ast.If | ast.For | ast.While | ast.With | ast.Try)
    yield (
        rest or [ast.copy_location(ast.Pass(), line)],
        lambda: f"Without this it is right: leave {'it out, with what stands below it' if block else 'the line out'}.",
    )


def _out_of_a_block(tree: ast.Module) -> Iterator[Edit]:
    """Move the last line of a block behind it, such as a `return` that ends a loop in its first round."""
    for owner, name in list(_bodies(tree)):
        body = getattr(owner, name)
        for number, block in enumerate(body):
            inner = getattr(block, "body", None)
            if not isinstance(block, ast.For | ast.While | ast.If | ast.With) or len(inner) < 2:
                continue
            last = inner[-1]
            block.body = inner[:-1]
            setattr(owner, name, [*body[: number + 1], last, *body[number + 1 :]])
            what = "loop" if isinstance(block, ast.For | ast.While) else "block"
            try:
                yield Edit(last.lineno, lambda what=what: (
                    f"This line belongs behind the {what}, not into it: indent it less."
                ))  # fmt: skip
            finally:
                block.body = inner
                setattr(owner, name, body)


def _reset(tree: ast.Module) -> Iterator[Edit]:
    """Set in `on_train_begin` what is set only when the object or its class is made."""
    for kind, methods in _methods(tree):
        init = next((one for one in methods if one.name == "__init__"), None)
        named = {one.arg for one in init.args.args} if init else set()
        lines = [line for line in (init.body if init else []) if isinstance(line, ast.Assign)]
        lines = [
            line
            for line in lines
            if all(isinstance(one, ast.Attribute) for one in line.targets)
            and not any(isinstance(one, ast.Name) and one.id in named - {"self"} for one in ast.walk(line.value))
        ]
        for line in kind.body:
            if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
                on_self = ast.Attribute(ast.Name("self", ast.Load()), line.targets[0].id, ast.Store())
                lines.append(ast.fix_missing_locations(ast.copy_location(ast.Assign([on_self], line.value), line)))
        begin = next((one for one in methods if one.name == "on_train_begin"), None)
        for chosen in [lines, *([line] for line in lines if len(lines) > 1)] if lines else []:
            yield from _set_at_the_beginning(kind, begin, chosen)


def _set_at_the_beginning(kind: ast.ClassDef, begin: ast.FunctionDef | None, lines: list) -> Iterator[Edit]:
    before = kind.body
    names = " and ".join(f"`self.{line.targets[0].attr}`" for line in lines)
    made = copy.copy(begin) if begin else ast.parse("def on_train_begin(self, logs=None): pass").body[0]
    for node in ast.walk(made) if not begin else ():
        ast.copy_location(node, kind)
    made.body = [*(begin.body if begin else []), *lines]
    kind.body = [*(one for one in before if one is not begin), made]
    try:
        yield Edit(lines[0].lineno, lambda: (
            f"{names} {'is' if len(lines) == 1 else 'are'} set once, when the object is made, so a second fit goes on "
            "with what the first left. Set it in `on_train_begin`, which begins each fit."
        ))  # fmt: skip
    finally:
        kind.body = before


# -- names and pieces --------------------------------------------------------------------------------------------------


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.Lambda]:
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Lambda))


def _names(tree: ast.Module) -> Iterator[Edit]:
    """Put an argument in the place of a name from outside, and one attribute of the object in that of another."""
    for function in _functions(tree):
        arguments = [one.arg for one in function.args.args if one.arg != "self"]
        bound = {
            node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        read = [place for place in _places(function) if isinstance(place.node, ast.Name)
                and isinstance(place.node.ctx, ast.Load)]  # fmt: skip
        used = {place.node.id for place in read}
        unused = [name for name in arguments if name not in used]
        for place in read:
            for name in dict.fromkeys([*arguments, *sorted(bound)]) if len(read) <= 40 else ():
                if place.node.id in {*arguments, *bound} - {name} and place.name != "func":
                    new = ast.Name(name, ast.Load())
                    yield from _one(place, new, _should(place.node, new))
        outside = [name for name in dict.fromkeys(place.node.id for place in read)
                   if name not in bound and name not in arguments and name not in dir(__builtins__)]  # fmt: skip
        for chosen in itertools.permutations(outside, len(unused)) if 0 < len(unused) <= 2 else ():
            yield from _renamed(read, dict(zip(chosen, unused, strict=True)))
        for old, new in itertools.product(outside, arguments) if len(outside) <= 6 else ():
            yield from _renamed(read, {old: new})
    for kind, _ in _methods(tree):
        read = [one for one in _places(kind) if isinstance(one.node, ast.Attribute)
                and isinstance(one.node.ctx, ast.Load) and ast.unparse(one.node.value) == "self"]  # fmt: skip
        own = [name for name in dict.fromkeys(place.node.attr for place in read) if name != "model"]
        for place in read:
            for name in own:
                if name != place.node.attr and place.name != "func":
                    new = ast.Attribute(place.node.value, name, ast.Load())
                    yield from _one(place, new, _should(place.node, new))


def _renamed(read: list[_Place], names: Mapping[str, str]) -> Iterator[Edit]:
    changed = [place for place in read if place.node.id in names]
    for place in changed:
        place.put(ast.copy_location(ast.Name(names[place.node.id], ast.Load()), place.node))
    listed = " and ".join(f"`{old}`, where `{new}` is what it is given" for old, new in names.items())
    try:
        yield Edit(changed[0].node.lineno, lambda: f"Your function asks a name from outside: {listed}.")
    finally:
        for place in changed:
            place.put(place.node)


def _other_metric(tree: ast.Module) -> Iterator[Edit]:
    """Put the name of another metric into all of a statement, as where the lowest value is looked for and kept."""
    for owner, name in list(_bodies(tree)):
        for line in getattr(owner, name):
            found = [one for one in _places(line) if isinstance(one.node, ast.Constant) and one.node.value in NAMES]
            for old, new in itertools.product({place.node.value for place in found}, NAMES) if len(found) > 1 else ():
                changed = [place for place in found if place.node.value == old and old != new]
                for place in changed:
                    place.put(ast.copy_location(ast.Constant(new), place.node))
                try:
                    if changed:
                        yield Edit(line.lineno, lambda old=old, new=new: f"`{new!r}` belongs there, not `{old!r}`.")
                finally:
                    for place in changed:
                        place.put(place.node)


def _pieces(tree: ast.Module, pieces: Mapping[str, str]) -> Iterator[Edit]:
    """Put a right expression in the place of each other one, the larger ones first."""
    for function in _functions(tree):
        arguments = [one.arg for one in function.args.args if one.arg != "self"]
        inner = function.body if isinstance(function.body, list) else [function]
        places = [place for line in inner for place in _places(line) if (isinstance(place.node, ast.expr)
                  and not isinstance(getattr(place.node, "ctx", None), ast.Store)
                  and place.name not in ("func", "slice", "args")) or isinstance(line, ast.Return)]  # fmt: skip
        for text, words in pieces.items():
            try:
                new = ast.parse(text.format(*arguments), mode="eval").body
            except (IndexError, SyntaxError):
                continue
            said = ast.dump(new)
            for place in places:
                if not isinstance(place.node, ast.expr) or ast.dump(place.node) == said:
                    continue
                for node in ast.walk(new):
                    ast.copy_location(node, place.node)
                yield from _one(place, new, lambda place=place, words=words: (
                    f"In the place of `{ast.unparse(place.node)}` belongs {words}."
                ))  # fmt: skip
