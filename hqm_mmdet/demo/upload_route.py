"""How an uploaded file comes to its place."""

from collections.abc import Callable

import gradio as gr
from gradio.route_utils import upload_fn
from gradio.routes import file_upload_statuses
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from .upload_store import UploadStore
from .uploads import UploadError, UploadLimits

FORM = 10_000  # bytes of a form around its file


def upload_endpoint(blocks: gr.Blocks, store: UploadStore, limits: UploadLimits) -> Callable:
    """gradio's upload, but into a folder per request; gradio's own is shared by all files of equal content."""

    async def receive(request: Request) -> Response:
        length = request.headers.get("content-length", "")
        if not length.isdecimal():
            return PlainTextResponse("The length of the upload is needed.", 411)
        if int(length) > limits.bytes + FORM:
            return PlainTextResponse(f"File size exceeded maximum allowed size of {limits.bytes} bytes.", 413)
        known = request.query_params.get("upload_id")
        try:
            with store.reserve(int(length)) as folder:
                files, *_ = await upload_fn(
                    request, str(folder), limits.bytes, known, True, file_upload_statuses if known else None
                )
        except UploadError as error:
            return PlainTextResponse(str(error), 503)
        except MultiPartException as error:
            return PlainTextResponse(error.message, 413 if "maximum allowed size" in error.message else 400)
        blocks.upload_file_set.update(files)  # which gradio deletes when they are STALE
        return JSONResponse([str(file) for file in files])

    return receive
