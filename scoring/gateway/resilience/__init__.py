"""What keeps one slow or dead dependency, or too many requests, from becoming everybody's wait.

One noun a module, each for one event loop and without I/O of its own: a deadline, a circuit
breaker, a budget for extra calls, a hedge, a limit that adapts, the admission in front of it.
"""
