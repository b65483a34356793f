"""`python -m trace_server` is `trace-server`."""

from trace_server.cli import main

main()
