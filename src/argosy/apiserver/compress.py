"""Large answers, made small for clients that take gzip: those of objects, not streams or files.

The bound and the level are kube-apiserver's. Compressing takes milliseconds, so that a thread does
it, which needs the interpreter's lock only to begin and to end.
"""

import asyncio
import gzip
from dataclasses import replace

from argosy.apiserver.accept import EVERY
from argosy.http.message import Request, Response

THRESHOLD = 128 * 1024
"""Bytes of a body that is still sent as it is."""
LEVEL = 1


def large(response: Response) -> bool:
    """Whether the answer is worth a thought; asked of every answer."""
    body = response.body
    return isinstance(body, bytes) and len(body) > THRESHOLD


async def compressed(request: Request, response: Response) -> Response:
    """A large answer, compressed where the client takes that."""
    body, headers = response.body, response.headers
    takes = request.headers.get("accept-encoding", "").split(",")
    if not isinstance(body, bytes) or "gzip" not in map(str.strip, takes):
        return response
    if "content-encoding" in headers:
        return response
    # What stays the same for long has a tag, is asked for once, and is not worth the work.
    if headers.get("content-type") not in EVERY or "etag" in headers:
        return response
    vary = ", ".join(filter(None, (headers.get("vary", ""), "Accept-Encoding")))
    headers = {**headers, "content-encoding": "gzip", "vary": vary}
    small = await asyncio.to_thread(gzip.compress, body, LEVEL, mtime=0)
    return replace(response, headers=headers, body=small)
