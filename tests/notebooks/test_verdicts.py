"""What counts as an answer in sight of a question, and what does not."""

from __future__ import annotations

import pytest
import verdicts

from helpers.questions import Answer, Prediction

ASKED = Prediction(
    "02.b",
    "Which weights does the model hold after `fit`, the patience being 3?",
    (
        Answer("Those of the best epoch", False, "Restoring has to be ordered with an argument."),
        Answer("Those of the last epoch that ran", True, "Training ends, and nobody touches the weights afterwards."),
    ),
    explain="Stopping and restoring are **separate acts**, and one of them was not ordered.",
)


@pytest.mark.parametrize(
    ("text", "bold", "told"),
    [
        ("So nobody touches the weights afterwards.", (), "“nobody touches the weights afterwards”"),
        ("Stopping\nand *restoring* are separate `acts`!", (), "“stopping and restoring are separate”"),
        ("The **last** weights.", ("last",), "bold “last”"),
        ("The **last epoch**.", ("last epoch",), "bold “last epoch”"),
        ("**Verdict:** a myth.", ("Verdict:",), "“Verdict” announces"),
        ("This is a myth.", (), "“is a myth” announces"),
        ("As predicted, it holds them.", (), "“As predicted” announces"),
        ("It holds those of the last epoch that ran.", (), ""),  # common words alone: bold ones would be found
        ("Which weights does the model hold after fit?", (), ""),
        ("The **best epoch** is 3.", ("best epoch",), ""),
        ("The **patience** waits.", ("patience",), ""),
        ("Nobody here touches what the explanation says.", (), ""),
        ("<!-- and nobody touches the weights afterwards -->", (), ""),
    ],
)
def test_what_answers_a_question(text, bold, told):
    found = list(verdicts.announced(ASKED, text, bold))
    assert any(told in one for one in found) if told else found == []
