"""Where a workload runs: prediction, ranking, explanation."""
