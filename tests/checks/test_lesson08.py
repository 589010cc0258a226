from __future__ import annotations

import pytest
from cases import Cases, learner, run

LOOP = """
def answer(losses, patience):
    best, wait = float("inf"), 0
    for epoch, loss in enumerate(losses, start=1):
        if loss < best:
            best, wait = loss, 0
        else:
            wait += 1
            if wait >= patience:
                return epoch
    return len(losses)
"""


def changed(old: str, new: str):
    assert old in LOOP
    return learner(LOOP.replace(old, new))


CASES = (
    Cases(
        "08.1",
        right=(
            learner(LOOP),
            learner("""
                def answer(losses, patience):
                    for epoch in range(1, len(losses) + 1):
                        seen = losses[:epoch]
                        if epoch - 1 - seen.index(min(seen)) >= max(patience, 1):
                            return epoch
                    return len(losses)
            """),
            changed("return epoch", "return np.int64(epoch)"),
            learner("""
                from helpers import replay
                answer = lambda losses, patience: replay.early_stopping(losses, patience=patience).epochs_run
            """),
        ),
        wrong=(
            (changed("best, wait = loss, 0", "best = loss"), "Only epochs **in a row**"),
            (
                learner("""
                    def answer(losses, patience):
                        best, wait = losses[0], 0
                        for epoch, loss in enumerate(losses, start=1):
                            if loss < best:
                                best, wait = loss, 0
                            else:
                                wait += 1
                                if wait >= patience:
                                    return epoch
                        return len(losses)
                """),
                "The first loss is always a new best",
            ),
            (
                learner("""
                    def answer(losses, patience):
                        return min(losses.index(min(losses)) + 1 + patience, len(losses))
                """),
                "never sees it",
            ),
            (changed("wait >= patience", "wait > patience"), "not when it passes it"),
            (changed("return epoch", "return epoch - 1"), "Where it stops, the epoch is counted from 0; people,"),
            (changed("return epoch", "return epoch - wait"), "Training ends `patience` epochs after it."),
            (changed("loss < best", "loss <= best"), "A tie is no improvement"),
            (changed("    return len(losses)\n", ""), "it returned None"),
            (changed("    return len(losses)\n", "    return 0\n"), "all epochs run"),
            (
                changed("            wait += 1\n", "            best, wait = loss, wait + 1\n"),
                "better than the best so far",
            ),
            (
                learner("""
                    def answer(losses, patience):
                        best, wait = float("inf"), 0
                        for epoch, loss in enumerate(losses, start=1):
                            wait = 0 if loss < best else wait + 1
                            best = min(best, loss)
                            if epoch > 1 and wait >= patience:
                                return epoch
                        return len(losses)
                """),
                "0 does the same as 1: an epoch that improves cannot",
            ),
            (
                learner("""
                    def answer(losses, patience):
                        best, wait = float("inf"), 0
                        for epoch, loss in enumerate(losses, start=1):
                            if loss < best:
                                best, wait = loss, 0
                            else:
                                wait += 1
                                if wait >= min(max(patience, 1), 2):
                                    return epoch
                        return len(losses)
                """),
                "you say 3",
            ),
            (learner("answer = lambda losses: 3"), "yours takes losses"),
            (lambda: 5, "Give the function itself, without brackets."),
        ),
    ),
)


@pytest.mark.parametrize("table", CASES, ids=lambda table: table.exercise)
def test_answers(table):
    run(table)
