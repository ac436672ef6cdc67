"""`python -m pynlvc`."""

import sys

from pynlvc.cli import main

sys.exit(main())
