"""The formulae, fast: engines and fused operations, each tested against its definition in `headway.functional`."""
