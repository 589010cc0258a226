from __future__ import annotations

import pytest

from helpers import _cards
from tests.colours import contrast

# White, and the darkest and the lightest grey that a notebook lies on in JupyterLab's dark theme.
PAGES = ("#ffffff", "#111111", "#212121")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("kind", _cards.COLOURS)
def test_bars_and_borders_are_seen_in_both_themes(kind, page):
    assert contrast(_cards.COLOURS[kind], page) >= 3


def test_white_words_are_read_on_the_buttons_blue():
    assert contrast(_cards.COLOURS["note"], "#ffffff") >= 4.5


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("**bold** and *so*", "<strong>bold</strong> and <em>so</em>"),
        ("val_loss, epoch_end, 2 * 3 * 4", "val_loss, epoch_end, 2 * 3 * 4"),
        (r"C:\Users\_me\*.csv", r"C:\Users\_me\*.csv"),
        ("<b>&\"'", "&lt;b&gt;&amp;&quot;&#x27;"),
        ("unbalanced `tick and **bold", "unbalanced `tick and **bold"),
        ("[x](javascript:alert(1))", '<a href="#harmful-link">x</a>'),
        ("[k](https://k.io/?a&b)", '<a href="https://k.io/?a&amp;b" target="_blank" rel="noopener">k</a>'),
        ("[08](08.ipynb#a)", '<a href="08.ipynb#a">08</a>'),
        ("![words](https://k.io/p.png)", "words"),
        ("# no heading, > no quote", "# no heading, &gt; no quote"),
    ],
)
def test_inline(text, page):
    assert _cards.inline(text) == page


def test_code_is_escaped():
    assert _cards.inline("`<b> & *c*`").endswith(">&lt;b&gt; &amp; *c*</code>")


def test_paragraphs_lists_and_fences():
    page = _cards.paragraphs("""
        one
        line

        - `two`

        ```python
        if a < b:

            c
        ```
        """)
    assert page.startswith('<p style="margin:4px 0">one\nline</p><ul>\n<li><code')
    assert page.endswith("if a &lt; b:\n\n    c</pre>")


def test_a_harmful_text_is_no_markup():
    for text in ("<script>x</script>", "<img src=x onerror=x>", "a\n\n<div onclick=x>b</div>"):
        assert "<script" not in _cards.paragraphs(text)
        assert "<img" not in _cards.paragraphs(text)
        assert "<div" not in _cards.paragraphs(text)
