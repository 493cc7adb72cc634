"""Every rule with its options beside its paper: a table for each family."""

from papers import adam, apart, averaged, descent, layers, matrices, model, shared_rates, stages

CASES = [
    *descent.CASES,
    *adam.CASES,
    *layers.CASES,
    *model.CASES,
    *stages.CASES,
    *apart.CASES,
    *averaged.CASES,
    *matrices.CASES,
    *shared_rates.CASES,
]
