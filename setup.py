"""What pyproject.toml cannot say: `templates/` stands at the root, and is trace_server/templates in the wheel."""

from setuptools import find_namespace_packages, setup

PROGRAMS = ("trace_core", "gateway_agent", "firmware_sim", "trace_server", "suyuan")

setup(
    packages=[
        # Folders of data count as packages too: without that setuptools warns about each.
        *find_namespace_packages(
            include=[p for name in PROGRAMS for p in (name, f"{name}.*")], exclude=["*__pycache__*"]
        ),
        *[f"trace_server.{name}" for name in find_namespace_packages(include=["templates", "templates.*"])],
    ],
    package_dir={"trace_server.templates": "templates"},
    package_data={
        "firmware_sim": ["scenarios/*.toml"],
        "trace_server": [
            "**/*.toml",
            "epcis_xml/schemas/*",
            "epcis_xml/schemas/*/*",
            "ingest/schemas/*",
            "translations/*/LC_MESSAGES/*.po",
        ],
        "trace_server.templates": ["**/*.html", "**/*.css", "**/*.svg"],
    },
)
