"""What a benchmark needs and may not find."""


class Unavailable(Exception):
    """This benchmark cannot be run here; ``str(error)`` says what is missing."""
