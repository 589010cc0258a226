"""What checkpoints survive: one suite of trials over every way to save, `python -m tests.conformance`.

The process that runs it imports TensorFlow and never computes with it, so that it can fork a fresh, whole TensorFlow
for each trial in a tenth of a second (`processes`). `writers` holds the ways to save, `kills`, `power_cut`, `disks`,
`loading` and `runs` the trials, `report` the table.
"""
