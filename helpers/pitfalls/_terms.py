"""The words of a text that tell one trouble from another, brought to one form."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["terms"]

# Words of every sentence, and of every question about Keras.
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "a about after again all also although always am an and any are as at be because been before being but by can cannot could "
        "did do does doing done don for from get gets getting give given go got had has have having help her here hello hi how i if in "
        "into is isn it its just keras know let like line ll make makes many may me mean more most much must my need no not now of off "
        "on one only or other our out over please problem python question re really s same seem seems shall should since so some "
        "something still such t take tensorflow tf than thank thanks that the their them then there these they thing this those though "
        "through to too traceback tried try trying two up us use used uses using ve very via want wanted was we well were what when "
        "where which while who why will with without work working works would you your code error errors warning userwarning raise "
        "raised exception call called file_ most recent last_ int str none_ am anyone someone everything correct right",
    )
)
# One word for several, after the endings are gone: what people say, and what the field says.
_SAME = {
    word: group[0]
    for group in (
        "stop halt quit end terminat finish abort",
        "overwrit replac clobber eras",
        "resum continu restart reboot proceed",
        "corrupt broken unread damag truncat",
        "validat val",
        "valloss val_loss",
        "accuracy acc",
        "evaluat eval",
        "fold kfold cv",
        "typo misspel misspell mistyp spell",
        "lr learning_rat learningrat",
        "checkpoint ckpt",
        "bigger larger greater",
        "improv better",
        "wors bad",
        "widget slider button",
        "ema averag",
        "crash fail",
        "csv csvlogger",
        "tuner kerastuner tuning",
        "remov gone disappear vanish",
        "nan inf infinit",
        "suffix extension end_",
        "lock locked",
    )
    for group in [group.split()]
    for word in group[1:]
}
_PHRASES = (
    (re.compile(r"learning[ _-]rate", re.IGNORECASE), "lr"),
    (re.compile(r"early[ _-]?stop(?:ping|per|ped|s)?\b", re.IGNORECASE), "EarlyStopping"),
    (re.compile(r"model[ _-]?check[ _-]?point\w*", re.IGNORECASE), "ModelCheckpoint"),
    (re.compile(r"\bcheck[ -]points?\b", re.IGNORECASE), "checkpoint"),
    (re.compile(r"(?:reduce[ _-]?)?(?:lr|learning rate)[ _-]?on[ _-]?plateau", re.IGNORECASE), "ReduceLROnPlateau"),
    (re.compile(r"back[ -]?up[ _-]?and[ _-]?restore", re.IGNORECASE), "BackupAndRestore"),
    (re.compile(r"not[ -]a[ -]number", re.IGNORECASE), "nan"),
    (re.compile(r"cross[ -]?validation|k[ -]?fold", re.IGNORECASE), "fold"),
    (re.compile(r"val(?:idation)?[ _]loss", re.IGNORECASE), "val_loss"),
    (re.compile(r"val(?:idation)?[ _]acc(?:uracy)?\b", re.IGNORECASE), "val_accuracy"),
    (re.compile(r"pre[ -]process", re.IGNORECASE), "preprocess"),
    (re.compile(r"mixed[ _]precision", re.IGNORECASE), "mixed_precision"),
)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*|\d+[a-z]+\d*[a-z]*")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ENDING = re.compile(r"(?:ations?|ings?|ities|ers?|ed|ion|ions|es|ely|ly|s|e)$")
# What the parts of a name such as `save_best_only` weigh, and two words that stand beside each other.
_PART, _PAIR = 0.4, 0.5


def terms(texts: Iterable[str]) -> dict[str, float]:
    """Return the terms of texts with their weights: words 1, parts of names and neighbouring words less."""
    found: dict[str, float] = {}
    for text in texts:
        for phrase, name in _PHRASES:
            text = phrase.sub(name, text)
        before = ""
        for word in _WORD.findall(text):
            stem = _stem(word.lower().strip("_"))
            if not stem or stem in _COMMON or word.lower() in _COMMON:
                continue
            found[stem] = 1.0
            for part in _parts(word):
                found.setdefault(part, _PART)
            if before and before != stem:
                found[f"{before} {stem}"] = _PAIR
            before = stem
    return found


def _parts(word: str) -> list[str]:
    pieces = [piece for name in word.split("_") for piece in _CAMEL.split(name)]
    if len(pieces) < 2:
        return []
    return [stem for piece in pieces if len(piece) > 1 and piece.lower() not in _COMMON and (stem := _stem(piece.lower()))]


def _stem(word: str) -> str:
    stem = word
    if "_" not in word:
        while len(stem) > 4 and (shorter := _ENDING.sub("", stem)) != stem and len(shorter) > 2:
            stem = shorter
    if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "sl":
        stem = stem[:-1]
    return _SAME.get(stem, stem)
