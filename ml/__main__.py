"""`python -m ml`."""

import os
import sys

# Threads that wait for their turn sleep. By default they spin, and on a machine that does other work as well growing
# trees then takes many times as long. Read once, when the OpenMP library is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from ml.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
