"""The release of this program, also where reading the package's metadata would cost a small box 2 MB."""

VERSION = "0.1.0"
"""As in pyproject.toml."""
