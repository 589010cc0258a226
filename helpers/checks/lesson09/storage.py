"""Check of 09.3: a callback that uploads, in a bucket of the check's own that dies and fails in the middle of a `put`.

The bucket keeps whole and half objects apart, so that at each moment it is known what a reader of `latest` would get.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras

from helpers import storage
from helpers.checks._core import Verdict, Wrong, not_attempted, right, wrong
from helpers.checks._repair import trying
from helpers.checks.lesson06.common import Callback, begun, made, taken
from helpers.checks.scripted import FakeModel, drive
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
        fails_in: those that raise OSError; they leave the marker as it was.
        halves: whether a `put` that fails leaves half an object, as a death does, or nothing.
        fault: what a reader of the marker would have met at the worst moment so far; "" for nothing bad.
        puts: names in order, with the number of the start.
        raised: how many raised in a row, up to the last.
    """

    def __init__(self, fails_in: frozenset[int] = frozenset(), halves: bool = True):
        self.fails_in, self.halves = fails_in, halves
        self.fault = ""
        self.puts: list[tuple[int, str]] = []
        self._objects: dict[str, bytes] = {}
        self._half: set[str] = set()
        self.starts = 0
        self.start()

    def start(self, dies_in: int = 0) -> None:
        """Begin anew, as after a kill; objects stay."""
        self.dies_in, self._count, self._dead, self.raised = dies_in, 0, False, 0
        self.starts += 1

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
        elif name != MARKER and (self.halves or self._count == self.dies_in):
            self._objects[name] = content[: len(content) // 2]
            self._half.add(name)
        if self.fault == "":
            self.fault = self._look(name)
        if self._count == self.dies_in:
            self._dead = True
            raise Died
        self.raised = self.raised + 1 if troubled else 0
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
                "`time.time_ns()` to it. (The number of objects in `bucket.list()` is not enough: after a `put` that "
                "failed it is lower than the names used.)"
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


# Not only falling: `latest` is the newest model, better or not.
LOSSES = (0.5, 0.7, 0.6)


def _run(
    kind: type[Callback],
    bucket: Bucket,
    folder: Path,
    model: keras.Model,
    losses: Sequence[float] = LOSSES,
    failing: int = 0,
) -> list[str | None]:
    """Play a training with a new object; return what `latest` said after each epoch.

    Raises:
        Wrong: an upload that failed ended the training, or `latest` was wrong at some moment.
        Died: the bucket's program was killed.
    """
    reader = _Reader(bucket)
    try:
        drive([made(kind, bucket, folder), reader], {"loss": losses, "val_loss": losses}, model=model)
    except UploadFailed:
        bucket.raise_fault()
        if failing and bucket.raised > 1:
            raise Wrong(
                f"{bucket.raised} `put` in a row raised an `OSError`, and the last of them ended the training. Trying "
                "again is fine, but whatever number of them fails, training goes on: no `raise`, and the next epoch "
                "tries again.",
                0.5,
            ) from None
        which = "`latest`" if bucket.puts[-1][1] == MARKER else "the model's file"
        raise Wrong(
            f"The `put` of {which} raised an `OSError`, and it ended the training. Each `put` may: it belongs into a "
            "`try:` with `except OSError:`, and the next epoch tries again.",
            0.5,
        ) from None
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
        if trying() and not _ships_each_epoch(kind, folder):
            return wrong("")
        bucket = Bucket()
        seen = _run(kind, bucket, folder, model)
        falling = (None not in seen and len({*seen}) < EPOCHS
                   and len({*_run(kind, Bucket(), folder, model, sorted(LOSSES, reverse=True))}) == EPOCHS)  # fmt: skip
        if falling:
            told = ", ".join(f"`{name}`" for name in seen)
            return wrong(
                f"The loss was {', '.join(map(str, LOSSES))}, and after the three epochs `latest` named {told}. With "
                "losses "
                "that fall in each epoch it is right. `latest` is the newest model after each epoch, better or not.",
                0.7,
            )
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
        # Nobody answers for a while, however often it is tried: at the first epoch, from the second on, at the last.
        for first in (1, 3, 5):
            for count in (2, 3, 4, 5, 6, 12):
                bucket = Bucket(frozenset(range(first, first + count)))
                seen = _run(kind, bucket, folder, model, failing=count)
                if len(seen) < EPOCHS:
                    return wrong(
                        f"When {count} `put` in a row failed, from number {first} on, it stopped the training after "
                        f"epoch {len(seen)}. Training goes on, and the next epoch tries again.",
                        credit=0.7,
                    )
        # Uploads that left nothing, and a new start: numbers made of what is there come twice.
        bucket = Bucket(frozenset({1, 2}), halves=False)
        _run(kind, bucket, folder, model)
        bucket.fails_in = frozenset()
        _killed(kind, (1,), folder, model, bucket)
    return right("Killed within each `put`, started again, cut off: `latest` always named a whole model.")


def _ships_each_epoch(kind: type[Callback], folder: Path) -> bool:
    """Say whether each epoch's file arrives, with a model that is quickly saved and never loaded."""
    bucket = Bucket()
    seen = _run(kind, bucket, folder, FakeModel())
    return len({*seen}) == EPOCHS and all(
        name is not None and f'"epoch": {epoch}'.encode() in bucket.read(name) for epoch, name in enumerate(seen)
    )


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
        raise Wrong(f"After the three epochs `latest` named {told}. It should name a new object after each.", guess="")
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
    held = read_tag(model)[1]
    if held != epoch:
        of = "from before the training" if held is None or held < 0 else f"of epoch {held + 1}"
        raise Wrong(
            f"After epoch {epoch + 1}, `latest` names a model {of}.",
            guess="Save the model in each epoch, before the `put`, and put that file.",
        )


def _killed(
    kind: type[Callback], deaths: tuple[int, ...], folder: Path, model: keras.Model, bucket: Bucket | None = None
) -> None:
    """Let one run after another die within its `put` of this number; 0 lets it end well."""
    bucket = bucket or Bucket()
    for death in deaths:
        bucket.start(death)
        with contextlib.suppress(Died):
            _run(kind, bucket, folder, model)


def _and(numbers: list[int]) -> str:
    told = [str(number) for number in numbers]
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
