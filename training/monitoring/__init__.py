"""What was served, compared with history, with training, and with what became of it."""
