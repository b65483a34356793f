"""Who is on which list: official lists and those of others apart, each entry with its basis and the way off."""

from __future__ import annotations

from flask import Response, request

from trace_server.accounts.access import public
from trace_server.lists.rules import early_from
from trace_server.publicity import published
from trace_server.publicity.pages.frame import answer, blueprint, next_link, refuse_doubles, this_page
from trace_server.recall.cursors import read_cursor, write_cursor
from trace_server.services import services


@blueprint.get("/lists")
@public
def lists() -> Response:
    """Which lists there are."""
    official, others, as_of = published.lists(services())
    return answer(this_page(), "publicity/lists.html", 200, official=official, others=others, as_of=as_of)


@blueprint.get("/lists/<list_id>")
@public
def one_list(list_id: str) -> Response:
    """Who is on it now, newest first."""
    refuse_doubles()
    page, outside = this_page(), services()
    of = f"list {list_id}"
    found = published.on_list(outside, list_id, read_cursor(of, request.args.get("cursor", ""), outside.settings))
    if found is None:
        return answer(page, "publicity/ended.html", 404, what="list", back="/lists")
    following = next_link(page, write_cursor(of, found.last, outside.settings) if found.last else "")
    return answer(page, "publicity/list.html", 200, following=following, found=found)


@blueprint.get("/lists/entries/<membership_id>")
@public
def list_entry(membership_id: str) -> Response:
    """One entry; an entry that has ended is not told apart from one that never was."""
    page = this_page()
    found = published.entry(services(), membership_id)
    if found is None:
        return answer(page, "publicity/ended.html", 404, what="entry", back="/lists")
    facts = {"entry": found, "row": found.membership, "early": early_from(found.membership)}
    return answer(page, "publicity/list_entry.html", 200, **facts)
