"""How good the models are, how sure that is, and why: ``python -m training.evaluation``."""
