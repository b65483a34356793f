"""`python -m suyuan`."""

import sys

from suyuan.cli import main

sys.exit(main())
