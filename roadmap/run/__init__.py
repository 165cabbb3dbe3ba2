"""Plan, cache, execute, compare: from experiments to outcomes."""
