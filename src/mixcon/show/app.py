"""The page's server: the page, the real split's servers, and what the curious cloud redraws."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mixcon.reports import look
from mixcon.show.content import Content, pixels
from mixcon.show.learner import Learner, Lesson
from mixcon.show.lifespan import running
from mixcon.show.shown_model import ShownModel

__all__ = ["PAGE", "application"]

PAGE = files("mixcon.show") / "page"
_HEADERS = {
    # The browser itself refuses any other host, and any script but the page's own files.
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; "
    "style-src 'self'; img-src 'self' blob:; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_BYTES = "application/octet-stream"
for _type, _ending in (("text/javascript", ".mjs"), ("text/javascript", ".js"),
                       ("application/wasm", ".wasm")):  # fmt: skip
    mimetypes.add_type(_type, _ending)  # a system's own table may lack them


def application(content: Content, learner: Learner, hosts: list[str]) -> Starlette:
    """The ASGI application.

    Args:
        content: what it shows.
        learner: fits what is not fitted yet.
        hosts: names that a browser may call it by: no other page gets at it by a name of its own.
    """
    site = _Site(content, learner)
    return Starlette(
        routes=[
            Route("/content.json", site.described),
            Route("/look.css", site.look),
            Route("/examples", site.examples),
            Route("/guesses", site.guesses),
            Route("/models/{name}/encoder.onnx", site.encoder),
            Route("/curious/{name}/{id}", site.redrawn),
            Mount("/v2", app=site.serve),
            Mount("/", app=StaticFiles(directory=str(PAGE), html=True)),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=hosts),
            Middleware(_WithHeaders),
        ],
        lifespan=site.running,
    )


class _Site:
    def __init__(self, content: Content, learner: Learner) -> None:
        self._content, self._learner = content, learner
        self._models = {model.name: model for model in content.models}

    @asynccontextmanager
    async def running(self, _: Starlette) -> AsyncIterator[None]:
        """Start the servers of all models, and the learner; stop them in the end."""
        async with AsyncExitStack() as stack:
            for model in self._content.models:
                await stack.enter_async_context(running(model.tap))
            self._learner.start()
            try:
                yield
            finally:
                await run_in_threadpool(self._learner.stop)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request of the Open Inference Protocol to the model that it names."""
        path = str(scope["path"]).split("/")
        model = self._models.get(path[3]) if path[2:3] == ["models"] and len(path) > 3 else None
        if model is None:
            await JSONResponse({"error": "no such model"}, 404)(scope, receive, send)
            return
        await model.tap({**scope, "root_path": ""}, receive, send)

    async def described(self, _: Request) -> Response:
        return JSONResponse(await run_in_threadpool(self._content.described))

    async def look(self, _: Request) -> Response:
        return Response(look(), media_type="text/css")

    async def examples(self, _: Request) -> Response:
        return Response(self._content.examples[0].numpy().tobytes(), media_type=_BYTES)

    async def guesses(self, _: Request) -> Response:
        return Response(pixels(self._content.guesses), media_type=_BYTES)

    async def encoder(self, request: Request) -> Response:
        return Response(self._model(request).edge.onnx, media_type=_BYTES)

    async def redrawn(self, request: Request) -> Response:
        """What the curious cloud makes of the representation in an earlier request."""
        model = self._model(request)
        level = _level(request, len(model.cloud.shares))
        z = model.tap.seen(request.path_params["id"])
        if z is None:
            raise HTTPException(404, "no such request")
        lesson = Lesson(model.cloud, level)
        if lesson in self._learner.failed:
            raise HTTPException(500, self._learner.failed[lesson])
        found = await run_in_threadpool(model.cloud.redraw, z, level)
        if found is None:
            self._learner.want(lesson)
            return JSONResponse({"share": model.cloud.shares[level]}, 202)
        return Response(pixels(found), media_type=_BYTES)

    def _model(self, request: Request) -> ShownModel:
        model = self._models.get(request.path_params["name"])
        if model is None:
            raise HTTPException(404, "no such model")
        return model


def _level(request: Request, count: int) -> int:
    given = request.query_params.get("level", "")
    if not (given.isascii() and given.isdigit() and int(given[:9]) < count):
        raise HTTPException(400, f"expected a level from 0 to {count - 1}")
    return int(given)


class _WithHeaders:
    """Adds the headers that every answer has."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)
