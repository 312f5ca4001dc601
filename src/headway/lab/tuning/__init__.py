"""Settings searched for through Optuna: trials that are pruned, stored as they go, gone on with."""
