"""`python -m gateway_agent`"""

import sys

from gateway_agent.cli import main

sys.exit(main())
