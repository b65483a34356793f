"""The whole main job in one command: simulated readers → gateways → server → code page."""
