"""Settings searched for through Optuna: trials that are pruned, stored as they go, gone on with.

OUT/tuning.json      what is searched for, on which data
    journal.log      Optuna's own journal, a line of JSON for everything that happened
    trials/00012/    task.json, run/ (of the best trial alone once it has ended), cell.json, log.txt
    best.yaml        every setting of the best trial, for `headway train --config`
    tune.html        the trials as a table and as pictures
"""

from headway.lab.tuning.results import Results, results_of
from headway.lab.tuning.searching import Watcher, tune
from headway.lab.tuning.space import Dimension, dimension_of

__all__ = ["Dimension", "Results", "Watcher", "dimension_of", "results_of", "tune"]
