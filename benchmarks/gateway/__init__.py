"""The gateway under load: the rate that it holds, what a decision costs, and its peer beside it."""
