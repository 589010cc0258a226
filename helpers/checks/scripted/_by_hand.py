"""What comes out where somebody follows the rule of `EarlyStopping` by hand and makes a usual mistake."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["RULES", "by_hand"]

RULES = {
    "patience 1": (
        "the first epoch without an improvement ends the training. Patience 2 takes two of them in a row: the counter "
        "has to reach 2"
    ),
    "added up": (
        "all epochs without an improvement are added up. Only those in a row count: each new best sets the counter "
        "back to 0"
    ),
    "higher is better": "a higher loss is taken for better. For a loss, lower is better",
    "rising": (
        "epochs that are worse than the one before are counted. What counts are those that do not beat the best so far"
    ),
    "tie": "a tie counts as an improvement. It is none: it adds 1 to the counter",
    "late": "the counter has to pass the patience. The training ends with the epoch in which it reaches 2",
    "never": "nothing ends the training. Two epochs in a row without an improvement do",
}


def by_hand(losses: Sequence[float], patience: int, rule: str = "") -> tuple[int, int]:
    """Return how many epochs run and which is the best (both from 1), by the rule or by it with a mistake of RULES."""
    sign = -1 if rule == "higher is better" else 1
    limit = {"patience 1": 1, "late": patience + 1, "never": len(losses) + 1}.get(rule, patience)
    best, wait = 0, 0
    for epoch, loss in enumerate(losses):
        against = losses[max(epoch - 1, 0)] if rule == "rising" else losses[best]
        better = epoch == 0 or sign * loss < sign * against or (rule in ("tie", "rising") and loss == against)
        if sign * loss < sign * losses[best] or (rule == "tie" and loss == losses[best]):
            best = epoch
        wait = (wait if rule == "added up" else 0) if better else wait + 1
        if not better and wait >= limit:
            return epoch + 1, best + 1
    return len(losses), best + 1
