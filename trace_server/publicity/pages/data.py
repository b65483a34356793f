"""Open data: what there is, under which terms, and the files themselves."""

from __future__ import annotations

from flask import Response, request

from trace_server.accounts.access import public
from trace_server.credit.steps import law_day
from trace_server.publicity import opendata
from trace_server.publicity.datasets import DATASETS
from trace_server.publicity.pages.frame import MAX_AGE_S, answer, blueprint, this_page
from trace_server.services import services


@blueprint.get("/data")
@public
def data() -> Response:
    """Every set with its columns, and every file with its date, size and SHA-256."""
    facts = {
        "datasets": tuple(DATASETS.values()),
        "formats": tuple(opendata.FORMATS),
        "files": opendata.fresh_files(services()),
        "as_of": law_day(services().clock()),
    }
    return answer(this_page(), "publicity/data.html", 200, **facts)


@blueprint.get("/data/<name>.<form>")
@public
def data_file(name: str, form: str) -> Response:
    """One file as an attachment; its entity tag is its SHA-256."""
    found = opendata.current(services(), name, form)
    if found is None:
        return answer(this_page(), "publicity/ended.html", 404, what="file", back="/data")
    made, content = found
    response = Response(content, content_type=opendata.FORMATS[form].media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{made.name}-{made.day.isoformat()}.{form}"'
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE_S}"
    response.set_etag(made.sha256)
    response.make_conditional(request)
    return response
