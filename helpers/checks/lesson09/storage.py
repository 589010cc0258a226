"""Check of 09.3: a callback that uploads, in a bucket of the check's own that dies and fails in the middle of a `put`.

The bucket keeps whole and half objects apart, so that at each moment it is known what a reader of `latest` would get.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import keras

from helpers import storage
from helpers.checks._core import Verdict, Wrong, not_attempted, right, wrong
from helpers.checks.lesson06.common import Callback, begun, made, taken
from helpers.checks.scripted import drive
from helpers.checks.scripted._model import read_tag

MARKER = "latest"
EPOCHS = 3


class Died(BaseException):
    """The program was killed; nobody catches that."""


class UploadFailed(OSError):
    """The other side did not answer."""


class Bucket:
    """A bucket in memory: `put`, `read` and `list` as `helpers.storage` has them, with trouble by number.

    Attributes:
        dies_in: the `put` (counted from 1 since the last start) in which the program dies; 0 for never.
        fails_in: those that raise OSError; like a death they leave half an object, and the marker as it was.
        leaves_half: whether they do; else they leave no object.
        fault: what a reader of the marker would have met at the worst moment so far; "" for nothing bad.
        puts: names in order, with the number of the start.
    """

    def __init__(self, fails_in: frozenset[int] = frozenset(), leaves_half: bool = True):
        self.fails_in, self.leaves_half = fails_in, leaves_half
        self.fault = ""
        self.puts: list[tuple[int, str]] = []
        self._objects: dict[str, bytes] = {}
        self._half: set[str] = set()
        self.starts = 0
        self.start()

    def start(self, dies_in: int = 0) -> None:
        """Begin anew, as after a kill; objects stay."""
        self.dies_in, self._count, self._dead = dies_in, 0, False
        self.starts += 1
        if self.starts > 2:
            self.fails_in = frozenset()  # only the first run meets them

    def put(self, name: str, content: bytes | Path) -> None:
        """Store bytes or a file; see `helpers.storage.FolderBucket.put`."""
        name, content = storage.checked_name(name), storage.bytes_of(content)
        if self._dead:
            raise Died
        self._count += 1
        self.puts.append((self.starts, name))
        troubled = self._count == self.dies_in or self._count in self.fails_in
        if not troubled:
            self._objects[name] = content
            self._half.discard(name)
        elif name != MARKER and (self.leaves_half or self._count == self.dies_in):
            self._objects[name] = content[: len(content) // 2]
            self._half.add(name)
        if self.fault == "":
            self.fault = self._look(name)
        if self._count == self.dies_in:
            self._dead = True
            raise Died
        if troubled:
            raise UploadFailed("the connection was reset")

    def read(self, name: str) -> bytes:
        """Return an object's bytes; FileNotFoundError where there is none."""
        try:
            return self._objects[name]
        except KeyError:
            raise FileNotFoundError(f"There is no object {name!r} in the bucket.") from None

    def list(self) -> list[str]:
        """Return the names of all objects, sorted."""
        return sorted(self._objects)

    def latest(self) -> str | None:
        """Return what the marker says, None where there is none."""
        return self._objects[MARKER].decode(errors="replace") if MARKER in self._objects else None

    def raise_fault(self) -> None:
        """Raise Wrong when a reader would have met something bad."""
        if self.fault:
            raise Wrong(self.fault, 0.4)

    def _look(self, changed: str) -> str:
        """Say what is wrong with what `latest` names, after a `put` of `changed`."""
        name = self.latest()
        if name is None or (name in self._objects and name not in self._half):
            return ""
        if name not in self._objects:
            return _no_object(name, self.list())
        if changed == MARKER:
            return (
                f"`put` of `{name}` had raised an `OSError`, and then `latest` was made to name it: it points at half "
                "a file. Write `latest` only when the file has arrived, in the same `try:`."
            )
        before = [start for start, put in self.puts[:-1] if put == name]
        if before and before[-1] < self.starts:
            return (
                f"The script was started again, and used the name `{name}` once more, while `latest` still named the "
                "object of the run before: a reader met half a file. A new name must be new in all runs: add "
                "`time.time_ns()` to it, or look at `bucket.list()`."
            )
        return (
            f"`latest` named `{name}` while a second file was being put under the same name: a reader met half a file. "
            "Give each epoch's file a name that was never used before."
        )


def _no_object(name: str, known: list[str]) -> str:
    if len(name) > 200:
        return "`latest` does not hold a name but something long, perhaps the model. It is a small text: the name."
    others = [one for one in known if one != MARKER]
    if any(one in name for one in others) or "/" in name or "\\" in name:
        return f"`latest` holds `{name[:60]}`, and no object is called so. Put the **name** of the object there, alone."
    return (
        f"`latest` names `{name[:60]}`, which is not in the bucket at that moment. First the file, then `latest`: a "
        "kill may come between the two."
    )


class _Reader(Callback):
    """Stands behind the answer and notes what `latest` says after each epoch."""

    def __init__(self, bucket: Bucket):
        super().__init__()
        self.bucket, self.seen = bucket, []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(self.bucket.latest())


def _model() -> keras.Model:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", loss="mse")
    return model


def _run(kind: type[Callback], bucket: Bucket, folder: Path, model: keras.Model) -> list[str | None]:
    """Play a training with a new object; return what `latest` said after each epoch.

    Raises:
        Wrong: an upload that failed ended the training, or `latest` was wrong at some moment.
        Died: the bucket's program was killed.
    """
    reader = _Reader(bucket)
    # The second epoch is worse than the first: each epoch's model belongs into the bucket, better or not.
    losses = [0.5, 0.9, *(1.0 / (2 + epoch) for epoch in range(2, EPOCHS))]
    try:
        drive([made(kind, bucket, folder), reader], {"loss": losses, "val_loss": losses}, model=model)
    except UploadFailed:
        bucket.raise_fault()
        raise Wrong(
            f"A `put` raised an `OSError`, that of {'`latest`' if bucket.puts[-1][1] == MARKER else 'a model'}, and it "
            "ended the training. Catch it with `except OSError:`, whichever `put` it comes from: the next epoch tries "
            "again.", 0.5,
        ) from None  # fmt: skip
    except Died:
        bucket.raise_fault()
        raise
    bucket.raise_fault()
    return reader.seen


def to_bucket(answer: object) -> Verdict:
    """Play trainings: undisturbed; killed within each `put`, and again after a new start; with uploads that fail."""
    kind = taken(answer, "ToBucket")
    if not begun(kind):
        return not_attempted("Write your hook below `__init__`.")
    model = _model()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        bucket = Bucket()
        seen = _run(kind, bucket, folder, model)
        _undisturbed(bucket, seen, folder)
        for deaths in ((1, 1), (2, 2), (3, 1), (4, 3), (0, 1)):
            _killed(kind, deaths, folder, model)
        for fails in ({1}, {3}, {4}, {1, 2}):
            bucket = Bucket(frozenset(fails))
            seen = _run(kind, bucket, folder, model)
            if len(seen) < EPOCHS:
                return wrong(
                    f"When `put` number {_and(sorted(fails))} failed, it stopped the training after epoch {len(seen)}. "
                    "Training goes on, and the next epoch tries again.",
                    credit=0.7,
                )
            if seen[-1] is None or seen[-1] in seen[:-1]:
                return wrong(
                    f"When `put` number {_and(sorted(fails))} failed, nothing new came into the bucket afterwards. Try "
                    "again with the next epoch's file.",
                    credit=0.7,
                )
            _holds(bucket, seen[-1], EPOCHS - 1, folder)
        # Uploads that failed leave gaps: a name that is counted may meet the one that `latest` names.
        for fails, death in (({1, 2}, 1), ({1}, 1), ({3}, 3)):
            _killed(kind, (0, death), folder, model, frozenset(fails))
    return right("Killed within each `put`, started again, cut off: `latest` always named a whole model.")


def _undisturbed(bucket: Bucket, seen: list[str | None], folder: Path) -> None:
    files = [name for _, name in bucket.puts if name != MARKER]
    if not bucket.puts:
        raise Wrong(
            "Nothing was put into the bucket. After each epoch, in `on_epoch_end`: save, then "
            "`self.bucket.put(name, path)`."
        )
    if bucket.latest() is None:
        raise Wrong(
            "There are objects in the bucket, but none is called `latest`: a reader does not know which to take."
        )
    if not files:
        raise Wrong(
            "Only `latest` was put. The file of the model has to be in the bucket too, under a name of its own."
        )
    if None in seen or len(set(seen)) < EPOCHS:
        if len(set(files)) == 1 and len(files) == EPOCHS:
            raise Wrong(
                f"Each epoch puts its file under the same name, `{files[0]}`: while it is being replaced, `latest` "
                "names half a file. Give each epoch's file a new name."
            )
        told = ", ".join(f"`{name}`" if name else "nothing" for name in seen)
        raise Wrong(
            f"After the three epochs, whose losses were 0.5, 0.9 and 0.25, `latest` named {told}. It should name a new "
            "object after each, better or not.", guess=""
        )  # fmt: skip
    for epoch, name in enumerate(seen):
        _holds(bucket, name, epoch, folder)


def _holds(bucket: Bucket, name: str | None, epoch: int, folder: Path) -> None:
    """See that an object is a model of this epoch (0-based): each weight holds the epoch's number."""
    path = folder / "check-reads.keras"
    path.write_bytes(bucket.read(name or ""))
    try:
        model = keras.models.load_model(path)
    except (ValueError, OSError, KeyError) as error:
        raise Wrong(
            f"`{name}`, which `latest` names, cannot be loaded by `keras.models.load_model`. Is it the file that "
            f"`self.model.save(...)` wrote, with a name that ends in `.keras`? ({str(error).splitlines()[0][:100]})"
        ) from None
    path.unlink()
    if read_tag(model)[1] != epoch:
        of = read_tag(model)[1]
        raise Wrong(
            f"After epoch {epoch + 1}, `latest` names a model {'of no epoch' if of is None else f'of epoch {of + 1}'}.",
            guess="In each epoch: save the model as it is then, and put that file.",
        )


def _killed(
    kind: type[Callback], deaths: tuple[int, ...], folder: Path, model: keras.Model, fails: frozenset[int] = frozenset()
) -> None:
    """Let one run after another die within its `put` of this number; 0 lets it end well. `fails` are of the first."""
    bucket = Bucket(fails, leaves_half=not fails)
    for death in deaths:
        bucket.start(death)
        with contextlib.suppress(Died):
            _run(kind, bucket, folder, model)


def _and(numbers: list[int]) -> str:
    told = [str(number) for number in numbers]
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
