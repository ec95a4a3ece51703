"""Versions of resources: named by what they say, so that the same name is always the same bytes."""

import hashlib

import orjson

from .words import Json


def versioned(resource: Json) -> Json:
    """The resource with `meta.versionId`; one that brings its own keeps it."""
    meta = resource.get("meta", {})
    if "versionId" in meta:
        return resource
    digest = hashlib.sha256(orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return resource | {"meta": {"versionId": digest[:24], **meta}}


def etag_of(resource: Json) -> str:
    """Its weak entity tag, as FHIR wants it."""
    return f'W/"{resource["meta"]["versionId"]}"'
