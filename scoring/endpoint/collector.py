"""Python's cycle collector, kept out of the requests' way; endpoint and gateway both do."""

import gc

_THRESHOLDS = (50_000, 20, 100)


def collect_seldom() -> None:
    """Look for cycles seldom, and never at what is loaded by now.

    What a request makes is freed with its last reference. The collector would come by every third
    request, look at all that is held, and find nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
