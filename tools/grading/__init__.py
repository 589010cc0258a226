"""Grading a class with nbgrader: `make assignments DIR=...` writes its folder, `make grade DIR=...` its gradebook.

`assignment` writes what nbgrader releases. Of each submission, `merge` makes the released notebook with the learner's
answers; `run` executes that in a kernel, under the eyes of `watch`, and packs the answers (`carry`); `judge` judges
them in a process that never saw the notebook, and `seal` tells whether an answer changed it. Both run behind `sandbox`
and within `limits`, with the `course` as it was when grading began. `submission` does all this for one, `group` for
all of them; `plugins` are nbgrader's hooks, `report` the table. Only `plugins` and `group` import nbgrader.
"""
