"""What the measures of contrast, focus and reading find on a page that is known, before they are asked of others."""

from __future__ import annotations

import pytest

from tests import barriers

pytestmark = pytest.mark.browser

STYLE = """<style>
  body {background: #fff; color: #222} button, input, select, textarea {border: 0; background: none}
  .frame {border: 1px solid #777} .faint {border: 1px solid #ccc}
  ::placeholder {color: #666} .faint::placeholder {color: #999}
  .night {background: #fff; filter: invert(0.92) hue-rotate(180deg)}
</style>"""
GOOD = """
<p style="color: #767676">words</p><p style="color: #949494; font-size: 24px">large words</p>
<div class="night"><p style="color: #777">on a dark page</p></div><p style="visibility: hidden; color: #eee">hidden</p>
<input class="frame" placeholder="a"><textarea style="background: #555; color: #fff"></textarea>
<div style="height: 2px; background: #eee" class="a-rule-of-the-theme"></div>
"""
BAD = {
    "text #777777 on #ffffff is 4.48": '<p style="color: #777">words</p>',
    "text #808080 on #ffffff is 3.98": '<div style="opacity: 0.5"><p style="color: #000">words</p></div>',
    "text #222222 on #7f7f7f is 3.97": '<div style="background: rgba(0, 0, 0, 0.5)"><p>words</p></div>',
    "text #6a6a6a on #141414 is 3.40": '<div class="night"><p style="color: #999">words</p></div>',
    "text #999999 on #ffffff is 2.85": '<svg width="40" height="20"><text y="9" fill="#999">words</text></svg>',
    "placeholder #999999 on #ffffff is 2.85": '<input class="faint" placeholder="a">',
    "field #cccccc on #ffffff is 1.61": "",
    "field without border #eeeeee on #ffffff is 1.16": '<select style="background: #eee"><option>a</option></select>',
    "accent #bbccdd on #ffffff is 1.64": '<input type="radio" style="accent-color: #bcd">',
    "border #99cc99 on #ffffff is 1.83": '<div class="course-card" style="border-left: 4px solid #9c9">words</div>',
    "mark #cccccc on #ffffff is 1.61": '<svg><path data-mark="stop" d="M0 0H9V9z" stroke="#ccc" fill="none"/></svg>',
}


def test_what_stands_out_too_little_is_told(page):
    page.set_content(STYLE + GOOD)
    assert barriers.low(page) == []
    page.set_content(STYLE + "".join(BAD.values()))
    assert [sentence.partition(":")[0] for sentence in barriers.low(page)] == list(BAD)
    page.set_content('<p style="filter: sepia(1)">words</p>')
    with pytest.raises(Exception, match="the filter sepia is not known"):
        barriers.low(page)


RINGS = """<style>
  button, input {outline: none} .good:focus {outline: 3px solid #1a73d0} .pale:focus {outline: 3px solid #cde}
  .thin {border: 1px solid #999} .thin:focus {border-color: #1a73d0} label:has(input:focus) {outline: 2px solid #222}
  .shadow:focus {box-shadow: rgb(26, 115, 208) 0 0 0 3px}
  .tight, .tight button {overflow: hidden; width: 40px; height: 20px}
</style>
<button class="good">a</button><button class="pale">a</button><button class="none">a</button>
<button class="thin">a</button><button class="shadow">a</button>
<label><input type="radio"> a</label><button disabled>a</button>
<div class="tight"><button class="good">cut off</button></div>"""


def test_a_focus_that_cannot_be_seen_is_told(page):
    page.set_content(RINGS)
    told = [sentence.rpartition(" > ") for sentence in barriers.rings(page)]
    assert [name for _, _, name in told] == ["button.pale", "button.none", "button.thin", "button.good"]


def test_what_would_be_read_twice_is_told(page):
    sentence = "Training stops after epoch 9 of 40."
    page.set_content(
        f'<div class="jp-OutputArea-output"><img alt="{sentence} More."><p>{sentence}</p></div>'
        f'<div class="jp-OutputArea-output"><p>{sentence}</p><p aria-hidden="true">{sentence}</p>'
        f"<details><summary>a</summary><p>{sentence}</p></details></div>"
    )
    assert barriers.twice(page) == [f"read twice: {sentence}"]
