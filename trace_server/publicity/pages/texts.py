"""Pages that only say something: words of the law, accessibility, and what a scan leaves behind."""

from __future__ import annotations

from flask import Response

from trace_server.accounts.access import public
from trace_server.publicity.glossary import terms
from trace_server.publicity.pages.frame import answer, blueprint, this_page


@blueprint.get("/glossary")
@public
def glossary() -> Response:
    """Words of the law in plain words, each with its basis."""
    return answer(this_page(), "publicity/glossary.html", 200, terms=terms())


@blueprint.get("/accessibility")
@public
def accessibility() -> Response:
    """What this site does for everybody, and whom to tell when it does not."""
    return answer(this_page(), "publicity/accessibility.html", 200)


@blueprint.get("/privacy")
@public
def privacy() -> Response:
    """What a scan, a report and a visit store, and for how long."""
    return answer(this_page(), "publicity/privacy.html", 200)
