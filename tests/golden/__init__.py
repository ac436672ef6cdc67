"""Golden streams: what they hold (streams.py) and how a version's were made (make.py)."""
