"""From an archive to a model bundle: labels, data set, checks, models, evaluation, bundle."""
