"""What a bad model costs: put on canary under load, and rolled back by itself."""
