"""What a policy would have earned on the log of another: estimators, and when not to trust them."""
