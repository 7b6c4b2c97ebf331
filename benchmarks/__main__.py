"""`python -m benchmarks [--only NAME,NAME]`: run the benchmarks, write their table."""

import sys

from .suite import main

sys.exit(main())
