"""python -m cltensor: the command `cltensor`."""

import sys

from .cli import main

sys.exit(main())
