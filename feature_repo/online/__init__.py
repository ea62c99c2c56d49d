"""The online half: rows in Redis, how they are written and how serving reads them."""
