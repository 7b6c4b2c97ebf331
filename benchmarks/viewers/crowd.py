"""Many viewers at once: clients that open the page, a panel and a slider by websocket, as a browser does."""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from dataclasses import dataclass, field

from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

KERNEL = re.compile(r'"kernelId":\s*"([0-9a-f-]+)"')
SLIDER, DIAGNOSE = "Patient (seed)", 1  # the tab's position
LARGEST_MESSAGE = 64 * 2**20


@dataclass
class Viewer:
    """One client and what came of its visit: seconds until the slider had answered, or what went wrong."""

    url: str
    seconds: float = 0.0
    error: str = ""
    _socket: WebSocketClientConnection | None = field(default=None, repr=False)
    _session: str = field(default_factory=lambda: uuid.uuid4().hex, repr=False)

    async def visit(self, patience: float) -> None:
        """Open the page, wait for the panel Diagnose, move its slider, wait for the answer of all models."""
        begin = time.perf_counter()
        try:
            await asyncio.wait_for(self._visit(), patience)
        except Exception as error:  # whatever stops one viewer is counted, and the others go on
            self.error = f"{type(error).__name__}: {error}"
        self.seconds = time.perf_counter() - begin

    def leave(self) -> None:
        """Close the page; the server culls its kernel when it has been idle."""
        if self._socket is not None:
            self._socket.close()

    async def _visit(self) -> None:
        request = HTTPRequest(self.url, request_timeout=300, connect_timeout=60)
        answer = await AsyncHTTPClient(max_clients=100).fetch(request)
        page = answer.body.decode()
        kernel = KERNEL.search(page).group(1)
        channels = f"api/kernels/{kernel}/channels?session_id={self._session}"
        address = self.url.replace("http", "ws", 1) + channels
        self._socket = await websocket_connect(address, max_message_size=LARGEST_MESSAGE)
        models = await self._models()
        tabs = next(key for key, state in models.items() if state.get("_model_name") == "TabModel")
        await self._set(tabs, selected_index=DIAGNOSE)
        models = await self._models()
        slider = next(key for key, state in models.items() if state.get("description") == SLIDER)
        answered = await self._set(slider, value=models[slider]["value"] + 1)
        if not any("Verdict" in str(update.get("value", "")) for update in answered):
            raise RuntimeError("the slider moved and no verdict came")

    async def _models(self) -> dict[str, dict]:
        """Return the state of every widget, by its id."""
        content = {
            "comm_id": uuid.uuid4().hex,
            "target_name": "jupyter.widget.control",
            "data": {},
        }
        await self._send("comm_open", content, metadata={"version": "1.0.0"})
        ask = {"comm_id": content["comm_id"], "data": {"method": "request_states"}}
        for message in await self._ask("comm_msg", ask):
            data = message["content"].get("data", {})
            if data.get("method") == "update_states":
                return {key: each["state"] for key, each in data["states"].items()}
        raise RuntimeError("the kernel did not tell its widgets")

    async def _set(self, model: str, **state) -> list[dict]:
        """Set a widget's state; return the updates of other widgets that follow from it."""
        data = {"method": "update", "state": state, "buffer_paths": []}
        messages = await self._ask("comm_msg", {"comm_id": model, "data": data})
        updates = [each["content"]["data"] for each in messages if each["msg_type"] == "comm_msg"]
        return [each["state"] for each in updates if each.get("method") == "update"]

    async def _ask(self, kind: str, content: dict) -> list[dict]:
        """Send a message and return all that the kernel says until it is idle again."""
        sent, said = await self._send(kind, content), []
        while True:
            raw = await self._socket.read_message()
            if raw is None:
                raise ConnectionError("the kernel's websocket closed")
            if isinstance(raw, bytes):
                raw = raw[int.from_bytes(raw[4:8], "big") : int.from_bytes(raw[8:12], "big") or None].decode()
            message = json.loads(raw)
            if message["parent_header"].get("msg_id") != sent:
                continue
            if message["msg_type"] == "error":
                raise RuntimeError(message["content"]["evalue"])
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return said
            said.append(message)

    async def _send(self, kind: str, content: dict, metadata: dict | None = None) -> str:
        header = {
            "msg_id": uuid.uuid4().hex,
            "msg_type": kind,
            "username": "viewer",
            "session": self._session,
            "version": "5.3",
        }
        message = {
            "header": header,
            "parent_header": {},
            "metadata": metadata or {},
            "content": content,
            "channel": "shell",
        }
        await self._socket.write_message(json.dumps(message))
        return header["msg_id"]


async def crowd(url: str, n: int, patience: float = 180) -> list[Viewer]:
    """Return n viewers who came at the same moment and have all been answered, their websockets still open."""
    viewers = [Viewer(url) for _ in range(n)]
    await asyncio.gather(*(viewer.visit(patience) for viewer in viewers))
    return viewers


async def loads(url: str, n: int, patience: float = 60) -> list[Viewer]:
    """Return n viewers who came one after the other, each gone before the next."""
    viewers = []
    for _ in range(n):
        viewer = Viewer(url)
        await viewer.visit(patience)
        viewer.leave()
        viewers.append(viewer)
    return viewers
