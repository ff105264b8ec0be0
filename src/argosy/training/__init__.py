"""Training: TrainJobs as gangs of pods."""
