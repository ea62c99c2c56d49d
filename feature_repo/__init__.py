"""What a feature is: declared once here, for the jobs, the training set and the gateway."""
