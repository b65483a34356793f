"""JSON routes of the resolver's registers: hosts and links."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from trace_server.accounts.access import current_client, permission
from trace_server.resolver import operations
from trace_server.resolver.model import Host, Link
from trace_server.services import services

blueprint = APIBlueprint("resolver", __name__, url_prefix="/api/v1/resolver", tag="Resolver")


class HostIn(BaseModel):
    """A host that links shall be allowed to lead to."""

    model_config = ConfigDict(extra="forbid", strict=True)

    host: str = Field(min_length=1, max_length=253, examples=["www.example.com"])
    reason: str = Field(min_length=1, max_length=500, description="Whose host it is and why links lead there")


class HostOut(BaseModel):
    """A host of the register."""

    host: str
    state: Literal["proposed", "approved", "withdrawn"]
    proposed_by: str
    decided_by: str
    reason: str
    updated_at: datetime


class HostsOut(BaseModel):
    """The whole register; it is short."""

    items: list[HostOut]


class LinkIn(BaseModel):
    """A link from a GS1 key to a page or service."""

    model_config = ConfigDict(extra="forbid", strict=True)

    anchor: str = Field(max_length=512, examples=["https://id.gs1.org/01/06901234567892"])
    link_type: str = Field(max_length=64, examples=["gs1:instructions"])
    href: str = Field(max_length=2048, examples=["https://www.example.com/manual.pdf"])
    title: str = Field(min_length=1, max_length=200)
    language: str = Field(default="", max_length=8, examples=["zh-CN"])
    media_type: str = Field(default="", max_length=100, examples=["application/pdf"])
    is_default: bool = Field(default=False, description="Counts for keys that have no page here")
    forward_query: bool = Field(default=True, description="Pass the query of the request on to the target")


class LinkOut(LinkIn):
    """A registered link."""

    link_id: str


class LinksOut(BaseModel):
    """Links of one key, also those whose host is not approved any more."""

    items: list[LinkOut]


class AnchorIn(BaseModel):
    """Whose links."""

    model_config = ConfigDict(extra="forbid")

    anchor: str = Field(max_length=512)


@blueprint.get("/hosts")
@permission("resolver:manage")
@blueprint.output(HostsOut)
@blueprint.doc(summary="Hosts that links may lead to", responses=[503])
def list_hosts() -> HostsOut:
    """By name."""
    return HostsOut(items=[_host(row) for row in operations.list_hosts(services().db)])


@blueprint.post("/hosts")
@permission("resolver:manage")
@blueprint.input(HostIn)
@blueprint.output(HostOut, status_code=201)
@blueprint.doc(summary="Propose a host", responses=[409, 503])
def propose_host(json_data: HostIn) -> HostOut:
    """A second person approves it."""
    outside = services()
    return _host(operations.propose_host(outside.db, outside.clock(), _actor(), json_data.host, json_data.reason))


@blueprint.post("/hosts/<host>/approve")
@permission("resolver:manage")
@blueprint.output(HostOut)
@blueprint.doc(summary="Approve a proposed host", responses=[404, 409, 503])
def approve_host(host: str) -> HostOut:
    """Not by the one who proposed it."""
    outside = services()
    return _host(operations.approve_host(outside.db, outside.clock(), _actor(), host))


@blueprint.post("/hosts/<host>/withdraw")
@permission("resolver:manage")
@blueprint.output(HostOut)
@blueprint.doc(summary="Withdraw a host: all links to it are dead at once", responses=[404, 409, 503])
def withdraw_host(host: str) -> HostOut:
    """One person is enough to close a door."""
    outside = services()
    return _host(operations.withdraw_host(outside.db, outside.clock(), _actor(), host))


@blueprint.get("/links")
@permission("links:write")
@blueprint.input(AnchorIn, location="query")
@blueprint.output(LinksOut)
@blueprint.doc(summary="Links registered for one key", responses=[503])
def list_links(query_data: AnchorIn) -> LinksOut:
    """Exactly this key; what its product or batch has beside it is in the public linkset."""
    return LinksOut(items=[_link(row) for row in operations.list_links(services().db, query_data.anchor)])


@blueprint.post("/links")
@permission("links:write")
@blueprint.input(LinkIn)
@blueprint.output(LinkOut, status_code=201)
@blueprint.doc(summary="Register a link", responses=[409, 503])
def add_link(json_data: LinkIn) -> LinkOut:
    """A producer's client links its own goods only; targets are hosts of the register."""
    outside = services()
    client = current_client()
    link = Link(**json_data.model_dump())
    return _link(operations.add_link(outside.db, outside.clock(), _actor(), link, owner=client.subject or None))


@blueprint.delete("/links/<link_id>")
@permission("links:write")
@blueprint.input(AnchorIn, location="query")
@blueprint.output({}, status_code=204)
@blueprint.doc(summary="Remove a link", responses=[404, 503])
def remove_link(link_id: str, query_data: AnchorIn) -> Response:
    """From now on; copies of a redirect are not kept by anybody."""
    outside = services()
    owner = current_client().subject or None
    operations.remove_link(outside.db, outside.clock(), _actor(), query_data.anchor, link_id, owner=owner)
    return Response(status=204)


def _actor() -> str:
    return f"client:{current_client().client_id}"


def _host(row: Host) -> HostOut:
    return HostOut(
        host=row.host,
        state=row.state.value,
        proposed_by=row.proposed_by,
        decided_by=row.decided_by,
        reason=row.reason,
        updated_at=row.updated_at,
    )


def _link(row: Link) -> LinkOut:
    return LinkOut(
        anchor=row.anchor,
        link_type=f"gs1:{row.link_type}",
        href=row.href,
        title=row.title,
        language=row.language,
        media_type=row.media_type,
        is_default=row.is_default,
        forward_query=row.forward_query,
        link_id=row.link_id,
    )
