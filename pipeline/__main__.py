"""`python -m pipeline` is the same as `review-insights`."""

from pipeline.cli import entry

if __name__ == "__main__":  # a process that the service starts imports this too
    entry()
