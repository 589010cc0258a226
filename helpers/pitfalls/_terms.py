"""The words of a text that tell one trouble from another, brought to one form."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["FIELD", "terms"]

# Words of every sentence, and of every question about Keras.
_EVERYDAY = """
    a about across after again all also although always am an and any are as at be because been before being but
    by can  could did do does  done don for from get gets getting give given go got had has have having
    help her here hello hi how i if in into is isn it its just keras know let like line ll make makes many may me
    mean more most much must my need   now of off on one only or other our out over please problem python
    question re really s same seem seems shall should since so some another during something still such t take
    tensorflow tf than thank thanks that the their them then there these they thing this those though through to too
    traceback tried try trying two up us use used uses using ve very via want wanted was we well were what when
    where which while who why will with without work working works would you your code error errors warning
    userwarning raise raised exception   object attribute module argument keyword unexpected positional
    required import expected value valueerror typeerror attributeerror recent int str anyone someone everything
    correct right
"""
_COMMON = frozenset(_EVERYDAY.split())
# One word for several: what people say, and what the field says.
_GROUPS = (
    "stop halt quit terminate finish abort cease",
    "early soon premature",
    "overwrite replace clobber",
    "delete erase wipe",
    "resume continue restart reboot rerun relaunch proceed",
    "corrupt broken unreadable damaged truncated",
    "kill die preempt interrupt interruption",
    "crash fail failure",
    "validation val validate",
    "accuracy acc",
    "evaluate eval evaluation",
    "fold kfold cv",
    "typo misspelled misspelt mistyped spelling",
    "lr learning_rate learningrate",
    "checkpoint ckpt",
    "big bigger larger greater large huge",
    "small tiny little minor",
    "improve better improvement",
    "worse bad worst terrible poor",
    "best winner peak optimum optimal champion",
    "last final",
    "minimum minimal lowest smallest",
    "reduce lower decrease fall drop shrink decline cut divide",
    "rise increase grow raise",
    "differ different mismatch disagree inconsistent",
    "same equal identical",
    "random garbage nonsense",
    "jump fluctuate unstable noisy wobble oscillate lottery",
    "plateau stagnate stall stuck flat",
    "imbalanced unbalanced imbalance rare minority skewed",
    "sort order group chronological",
    "reuse twice share",
    "change modify update alter adjust switch",
    "compute calculate",
    "print show display",
    "call invoke execute",
    "trigger fire",
    "hook method",
    "custom own",
    "compile recompile",
    "removed gone disappear vanish",
    "missing absent unavailable",
    "widget slider button",
    "tuner kerastuner",
    "nan nans",
    "inf infinity infinite",
    "suffix extension",
    "freeze frozen",
    "unfreeze unfrozen",
    "folder directory dir",
    "label class",
    "generator iterator",
    "coefficient factor",
    "server machine computer production",
)
_PHRASES = (
    (
        re.compile(
            r"\b(?:no|without|missing|forgot(?: the)?) validation[ _-](?:data|set|split|dataset)\b", re.IGNORECASE
        ),
        "novalidation",
    ),
    (re.compile(r"\bvalidation[ _-](?:set|dataset)\b", re.IGNORECASE), "validation data"),
    (re.compile(r"\b(?:lr|learning rate) reduc\w+ callback\b", re.IGNORECASE), "ReduceLROnPlateau"),
    (re.compile(r"off[ -]by[ -]one", re.IGNORECASE), "offbyone"),
    (
        re.compile(r"\b(?:every|each) (?:other|second)\b|\balternat\w+|\b(?:odd|even) (?=epoch)", re.IGNORECASE),
        "everysecond ",
    ),
    (
        re.compile(
            r"\bno (?:effect|influence|reaction|change)\b|\bwithout effect\b|\bnothing happens\b|\bnothing at all\b"
            r"|\b(?:does|do|did|has|have)(?: not|n't)? (?:nothing|anything|no effect)\b|\bnever does anything\b",
            re.IGNORECASE,
        ),
        "noeffect",
    ),
    (re.compile(r"\btoo (?:early|soon)\b|\bprematurely\b", re.IGNORECASE), "tooearly early"),
    (re.compile(r"\btoo (?:often|many|much)\b", re.IGNORECASE), "toomany"),
    (re.compile(r"\b(?:go|goes|going|went) down\b", re.IGNORECASE), "fall"),
    (re.compile(r"\b(?:go|goes|going|went) up\b", re.IGNORECASE), "rise"),
    (re.compile(r"\b(?:run|runs|running|ran) (?:forever|to the (?:end|last epoch))\b", re.IGNORECASE), "never stop"),
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
# Counts only together with the word that follows.
_NOT = re.compile(r"\b(?:not|never|no|nothing|cannot|can't|without)\b|\b\w+n't\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*|\d+[a-z]+\d*[a-z]*")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ENDING = re.compile(r"(?:ations?|ings?|ities|ers?|ed|ion|ions|es|ely|ly|s|e)$")
# What a name of code such as `save_best_only` weighs, where a word weighs 1, what its parts weigh, and two words that
# stand beside each other; and what a term gains, at the most, by standing in many of the texts.
_NAME, _PART, _PAIR, _OFTEN = 1.3, 0.4, 0.5, 1.0


def terms(texts: Iterable[str]) -> dict[str, float]:
    """Return the terms of texts with their weights: words 1, parts of names and neighbouring words less.

    A term that stands in several of the texts weighs a little more, by `_OFTEN`.
    """
    found: dict[str, float] = {}
    often: dict[str, int] = {}
    for text in texts:
        of_one = _terms(text)
        for term, weight in of_one.items():
            found[term] = max(found.get(term, 0.0), weight)
            often[term] = often.get(term, 0) + 1
    return {term: weight * (1 + _OFTEN) / (1 + _OFTEN / often[term]) for term, weight in found.items()}


def _terms(text: str) -> dict[str, float]:
    for phrase, name in _PHRASES:
        text = phrase.sub(name, text)
    text = _NOT.sub(" negated ", text)
    found: dict[str, float] = {}
    before = ""
    for word in _WORD.findall(text):
        if word == "negated":
            before = word
            continue
        stem = _stem(word.lower().strip("_"))
        if stem in _COMMON or word.lower() in _COMMON:
            continue
        parts = _parts(word)
        found[stem] = _NAME if parts else 1.0
        for part in parts:
            found.setdefault(part, _PART)
        if before and before != stem:
            found[f"{before} {stem}"] = _PAIR
        before = stem
    return found


def _parts(word: str) -> list[str]:
    pieces = [piece for name in word.split("_") for piece in _CAMEL.split(name)]
    if len(pieces) < 2:
        return []
    return [
        stem for piece in pieces if len(piece) > 1 and piece.lower() not in _COMMON and (stem := _stem(piece.lower()))
    ]


def _stem(word: str) -> str:
    stem = _bare(word)
    return _SAME.get(stem, stem)


def _bare(word: str) -> str:
    """Return a word without its endings; names of code stay whole."""
    if "_" in word:
        return word
    stem = word
    while len(stem) > 4 and (shorter := _ENDING.sub("", stem)) != stem and len(shorter) > 2:
        stem = shorter
    if len(stem) > 3 and (stem[-1] == "e" or (stem[-1] == stem[-2] and stem[-1] not in "sl")):
        stem = stem[:-1]
    return stem


# The first of a group stands for all of it.
_SAME = {_bare(word): _bare(group.split()[0]) for group in _GROUPS for word in group.split()}

# Names that only somebody uses who has to do with callbacks.
_NAMES = """
    callback EarlyStopping ModelCheckpoint ReduceLROnPlateau LearningRateScheduler BackupAndRestore TerminateOnNaN
    CSVLogger SwapEMAWeights OrbaxCheckpoint CallbackList LambdaCallback checkpoint patience monitor min_delta baseline
    start_from_epoch restore_best_weights save_best_only save_weights_only save_freq period backup_dir
    initial_value_threshold initial_epoch validation_freq validation_split validation_steps steps_per_epoch on_epoch_end
    on_epoch_begin on_train_end on_train_begin on_batch_end on_train_batch_end stop_training
"""
FIELD = frozenset(term for term, weight in terms(_NAMES.split()).items() if weight >= 1)
