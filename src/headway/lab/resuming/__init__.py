"""Is a run that is killed and resumed the run that was never stopped? Shown on a user's own settings and data.

The first updates of the training are made three times over: left alone, killed in an update, and killed again while a
checkpoint is written. Each time in a process of its own, and by a signal that no process can answer.
"""
