"""The command line: `python -m ml train | stage | recommend | evaluate | inspect`."""
