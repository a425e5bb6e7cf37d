"""Training: data, steps, optimisers and schedules as equations, the folder of a run."""
