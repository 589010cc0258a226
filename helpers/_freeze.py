"""Imported last by a process from which others are forked: what it holds is no garbage, now or ever.

Else each fork would look through a million objects of TensorFlow for garbage, and copy their memory by looking.
"""

import gc

gc.freeze()
