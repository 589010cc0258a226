"""Read what people paste: the exceptions and the warnings of it, the rest of its words, and apart from them its code.

Tracebacks of Python, IPython and notebooks, with colours or without, chained, cut off, from Windows, quoted, with the
prefixes of loggers. Nothing is parsed strictly: a line that is not known to be a frame or code counts as said.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

__all__ = ["Paste", "read"]

# With the escape itself, or without it, as some pages lose it.
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\[\d{1,3}(?:;\d{1,3})*m")
# No word or gap of a message is so long; what is, such as an encoded picture, would take the patterns below for ever.
_BLOB = re.compile(r"(\S{200})\S+|([ \t]{200})[ \t]+")
_QUOTES = str.maketrans("‘’‚‛“”„‟´′″\u00a0\u2026", "''''\"\"\"\"''\" .")
_FRAME = re.compile(
    r"""\s*(?:
        [|+*\s]*File\s"[^"]+"(?:,\sline\s\d+.*)?$  # Python
        | File\s\S.*?(?:\.py|>|\]):\d+.*$          # IPython 8 and 9
        | (?:Cell|Input)\sIn\s?\[\d+\].*$
        | \S*(?:\.py|>)\sin\s[\w<].*$              # IPython 7
        | \S+\.py:\d+:\sin\s.*$                    # pytest
    )""",
    re.VERBOSE,
)
_NUMBERED = re.compile(r"\s*(?:-{2,}>\s*)?\d+(?:\s|$)")
_ARROW = re.compile(r"\s*-{2,}>\s*\d+")
_SCAFFOLD = re.compile(
    r"""\s*(?:
        .*Traceback\s\(most\srecent\scall\slast\).*
        | During\shandling\sof\sthe\sabove\sexception.*
        | The\sabove\sexception\swas\sthe\sdirect\scause.*
        | \(?\[?\.\.\.\s?(?:skipping|\d+\sframes).*
        | \(\.\.\.\) | \.\.\.
        | [\s^~]+ | [-=_*#]{5,} | `{3}\w* | >{1,3}
    )$""",
    re.VERBOSE,
)
_PREFIXES = (
    re.compile(r"^\s*(?:>\s)+"),  # quoted in a mail or a comment
    re.compile(r"^E\s{2,}"),  # pytest
    re.compile(r"^[\w.-]+\s+\|\s"),  # docker compose
    re.compile(r"^\(\w+ pid=\d+[^)]*\)\s"),
    re.compile(r"^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,:\d]*Z?(?:[+-]\d\d:?\d\d)?\]?[\s|:-]*"),
    re.compile(r"^\[?\d\d:\d\d:\d\d[.,\d]*\]?[\s|:-]+"),
    re.compile(
        r"^\[?(?:DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL|FATAL)\]?(?:\s*[:|-]\s*|\s+)(?:[a-z][\w.]*:(?:\d+:)?\s?)?"
    ),
    re.compile(r"^[IWEF]\d{4} [\d:. ]+\S+\.(?:cc|py):\d+\]\s"),
    re.compile(r"^[IWEF] \S+\.(?:cc|py):\d+\]\s"),
)
_WARNED = re.compile(r"^(?:.*?(?:\.py|>|\]):\d+:\s*)?(?:[\w.]+\.)?(\w*Warning):\s?(.*)$")
_RAISED = re.compile(
    r"^\s*(?:[\w.<>]+\.)?([A-Z]\w*(?:Error|Exception|Interrupt|Exit|Iteration|Warning|BadZipFile)|BadZipFile)(?::\s?(.*))?$"
)
_PROGRESS = re.compile(r"^\s*(?:Epoch )?\d+/\d+\b(?=.*(?:step|ETA|\[=|━)|\s*$)")
# The odd ones of a progress bar say something, its usual ones do not.
_ODD = re.compile(r"\w*loss: (?:nan|inf|0(?:\.0+)?(?:e\+00)?)(?![\w.])")
_PACKAGE = re.compile(r"(?:site|dist)-packages[\\/](\w+)")
_OF_KERAS = re.compile("keras|tensorflow|tf_keras|h5py|orbax|numpy|IPython|ipykernel")
# The names that a warning lists tell whether there was validation, and no more.
_NONE_LISTED, _ONE_LISTED = "none of validation", "of validation too"
_LISTED = re.compile(r"(?<=vailable metrics are: )(?=\w)([\w, .-]+)")
_PATH = re.compile(r"(?:[A-Za-z]:)?(?:[\w.~@-]*[\\/]){2,}(?=[\w.{}@-]*)|https?://\S+|0x[0-9a-f]{6,}")


@dataclass(frozen=True)
class Paste:
    """What was pasted, sorted.

    Attributes:
        errors: type and message of each exception, the last one first, since it ended the program.
        warnings: the messages of warnings, without the place that they name.
        rest: everything else that was said: a question, lines of a log, code outside a traceback.
        frames: file names, functions and lines of code of a traceback.
    """

    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    rest: str
    frames: str

    @property
    def is_of_others(self) -> bool:
        """Whether a traceback goes through installed packages, and none of them has to do with Keras."""
        packages = set(_PACKAGE.findall(self.frames))
        return bool(packages) and not any(map(_OF_KERAS.match, packages))

    @property
    def said(self) -> str:
        """All that counts, the error that ended the program first."""
        return "\n".join((*self.errors, *self.warnings, self.rest))


def read(text: str) -> Paste:
    """Sort the lines of a paste; any text is fine, the empty one too."""
    text = _BLOB.sub(r"\1\2", _COLOUR.sub("", html.unescape(text)).translate(_QUOTES))
    errors: list[str] = []
    warnings: list[str] = []
    rest: list[str] = []
    frames: list[str] = []
    # What the line before belongs to: a frame, the code of a frame, a frame of IPython, a warning.
    within = ""
    for line in text.splitlines():
        bare = _unprefixed(line)
        if _FRAME.match(bare):
            frames.append(line)
            within = "frame" if bare.lstrip("|+* ").startswith('File "') else "cell"
        elif _ARROW.match(bare):
            frames.append(line)
            within = "cell"
        elif _SCAFFOLD.match(bare):
            frames.append(line)
        elif not bare.strip():
            within = ""
        elif within == "cell" and _NUMBERED.match(bare):
            frames.append(line)
        elif raised := _RAISED.match(bare):
            within = "warning" if raised[1].endswith("Warning") else ""
            (warnings if within else errors).append(bare.strip())
        elif warned := _WARNED.match(bare):
            warnings.append(f"{warned[1]}: {warned[2]}")
            within = "warning"
        elif within == "frame" or (within == "code" and bare.startswith("    ")):
            frames.append(line)
            within = "code"
        elif within == "warning" and bare.startswith("  "):
            frames.append(line)
            within = ""
        elif _PROGRESS.match(bare):
            rest += _ODD.findall(bare)
        else:
            rest.append(bare)
    return Paste(
        tuple(map(_pathless, dict.fromkeys(reversed(errors)))),
        tuple(map(_pathless, dict.fromkeys(warnings))),
        _pathless("\n".join(rest)),
        "\n".join(frames),
    )


def _unprefixed(line: str) -> str:
    for prefix in _PREFIXES:
        line = prefix.sub("", line, count=1)
    return line


def _pathless(text: str) -> str:
    """Leave out what is a person's own: folders and addresses, without the name of the file, and names of metrics."""
    text = _PATH.sub("", text)
    return _LISTED.sub(lambda names: _ONE_LISTED if "val_" in names[1] else _NONE_LISTED, text)
