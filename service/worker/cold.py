"""How a process imports that others are forked from: its garbage is looked for seldom.

The first preload module of the forkserver; `warm` is the last, and puts back what Python has by itself.
Next to nothing of what an import makes is garbage, and to walk through it again and again was a fifth
of all that the frameworks cost.
"""

import gc

OWN = gc.get_threshold()

gc.set_threshold(20_000, 20, 20)
