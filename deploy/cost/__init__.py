"""What the product costs on AWS, line by line, from prices and inputs that one can edit.

``prices.csv`` has the prices with where and when they were seen; ``inputs.py`` what was measured or
estimated; ``deploy.sizing`` how many of everything carry the peak. ``python -m deploy.cost`` does
the arithmetic and writes the tables of ``docs/cost.md``.
"""
