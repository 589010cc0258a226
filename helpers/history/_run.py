"""The one type for a run: its metrics, the true numbers of its epochs, and what was found while reading it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Values = list[float | None]

# Metrics of these halves are about data that the model does not train on: the likely things to watch.
VALIDATION = ("val", "valid", "validation", "eval", "test", "dev")

# Names of columns that count, without all that is no letter: "Epoch #", "trainer/epoch", "_step".
_EPOCHS = {"epoch", "epochs", "ep", "round"} | {
    f"{before}epoch{after}"
    for before in ("", "train", "trainer", "training", "num")
    for after in ("", "number", "num", "no", "idx", "index")
}
_STEPS = {"step", "steps", "globalstep", "trainerglobalstep", "iteration", "iterations", "iter", "iters", "batch"}


@dataclass(frozen=True, eq=False)
class Run(Mapping[str, Values]):
    """One run, as a mapping from a metric's name to its values.

    Attributes:
        name: How a chooser names it.
        metrics: Name to values, one for each of `epochs`: floats (NaN and infinity included), or None where the log
            has no value.
        epochs: The true number (0-based, as Keras counts) of each epoch, rising; not every number need be there.
        counted_from: How the log itself counts, 0 or 1. A person reads `epoch + 1` in both cases.
        validation_freq: Validation ran in every n-th epoch; 1 if in each, None if there is no such rule or no metric
            of validation.
        notes: What was found in the log and what was made of it, one sentence each, for a person to read.
        left_out: Columns and entries without use, by name, each with the reason ("holds text: '00:12'").
        problem: Why the run cannot be read, as a sentence; "" if it can. Only `read_runs` gives such runs.
    """

    name: str
    metrics: Mapping[str, Values]
    epochs: tuple[int, ...]
    counted_from: int = 0
    validation_freq: int | None = None
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""

    def __getitem__(self, name: str) -> Values:
        """Return the values of a metric."""
        return self.metrics[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the metrics."""
        return iter(self.metrics)

    def __len__(self) -> int:
        """Return the number of metrics, as of any mapping; epochs are counted by `len(run.epochs)`."""
        return len(self.metrics)

    def __repr__(self) -> str:
        """Say what it is."""
        return f"Run({self.name}: {span(self)}, {listed(self.metrics) or 'no metric'})"

    @property
    def first(self) -> int:
        """Return the number (0-based) of the first epoch, 0 if there is none."""
        return self.epochs[0] if self.epochs else 0

    @property
    def validation_metrics(self) -> list[str]:
        """Return the names of the metrics that speak of validation data, as far as names tell."""
        return [name for name in self.metrics if is_validation(name)]

    def metric(self, name: str) -> Values:
        """Return the values of a metric.

        Raises:
            ValueError: If the run has no such metric; the sentence lists what it has and proposes one.
        """
        if self.problem:
            raise ValueError(self.problem)
        if name in self.metrics:
            return self.metrics[name]
        if name in self.left_out:
            raise ValueError(f"{name!r} cannot be used: it {self.left_out[name]}.{self._proposal(name)}")
        raise ValueError(
            f"There is no metric {name!r} in this log. It has: {listed(self.metrics)}.{self._proposal(name)}"
        )

    def every_epoch(self, name: str) -> Values:
        """Return a metric with one value for every number from the first epoch to the last, None where a line lacks.

        EarlyStopping treats an epoch without the metric as if it had not been there, so a replay of these and of
        `metric(name)` with `epochs` agree; a replay of ModelCheckpoint does not (it saves without the metric).
        """
        values = self.metric(name)
        if not values or len(values) == self.epochs[-1] - self.epochs[0] + 1:
            return values
        known = dict(zip(self.epochs, values, strict=True))
        return [known.get(epoch) for epoch in range(self.epochs[0], self.epochs[-1] + 1)]

    def _proposal(self, name: str) -> str:
        accuracy = name.replace("acc", "accuracy")
        if accuracy in self.metrics:
            return f" Did you mean {accuracy!r}?"
        if not name.startswith("val_"):
            return ""
        found = self.validation_metrics
        if found:
            return f" Of validation it has {listed(repr(name) for name in found)}: give one of them as monitor."
        return " There is no validation metric at all: was fit() given validation_data or validation_split?"


def is_validation(name: str) -> bool:
    """Return whether a metric's name says that it was measured on data apart from the training data."""
    parts = name.lower().replace("/", "_").replace("-", "_").replace(".", "_").replace(" ", "_").split("_")
    return any(part in VALIDATION for part in parts)


def is_epoch(name: str) -> bool:
    """Return whether a column's name says that it holds the numbers of epochs."""
    return re.sub(r"[^a-z]", "", name.lower()) in _EPOCHS


def is_step(name: str) -> bool:
    """Return whether a column's name says that it counts steps or batches."""
    return re.sub(r"[^a-z]", "", name.lower()) in _STEPS


def is_metric_like(name: str) -> bool:
    """Return whether a name tells that this is the log of a training: a loss, an accuracy, validation, epochs."""
    lower = name.lower()
    return "loss" in lower or "acc" in lower or is_epoch(name) or is_validation(name)


def span(run: Run) -> str:
    """Say which epochs a run has, as a person counts them: `4 epochs`, `6 epochs, 6 to 11`."""
    count = len(run.epochs)
    text = f"{count:,} epoch{'s' * (count != 1)}"
    if run.epochs and (run.epochs[0] or run.epochs[-1] != count - 1):
        text += f", {run.epochs[0] + 1} to {run.epochs[-1] + 1}"
    return text


def listed(names: object, most: int = 8) -> str:
    """List names, the first few of many."""
    names = [str(name) for name in names]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
