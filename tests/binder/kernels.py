"""Runs a notebook in a kernel that the server starts, by the messages that JupyterLab sends."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import closing

import websocket
from binder.server import Server

SECONDS_A_CELL = 600


class Failed(Exception):
    """What went wrong in a cell, in words."""


def run_notebook(server: Server, path: str) -> str:
    """Run all code cells of a notebook of the server; return which one failed and how, or an empty text."""
    cells = server.ask("GET", f"api/contents/{path}").json()["content"]["cells"]
    wanted = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
    session = server.ask("POST", "api/sessions", json=wanted).json()
    try:
        with closing(Kernel(server, session["kernel"]["id"])) as kernel:
            for number, cell in enumerate((each for each in cells if each["cell_type"] == "code"), 1):
                source = "".join(cell["source"])
                try:
                    kernel.execute(source, may_raise="raises-exception" in cell["metadata"].get("tags", []))
                except Failed as failure:
                    first = next((line for line in source.splitlines() if line.strip()), "")
                    return f"cell [{number}], `{first[:60]}`: {failure}"
    finally:
        server.stop_kernels()
    return ""


class Kernel:
    """The server's websocket to one kernel."""

    def __init__(self, server: Server, name: str):
        self.session = uuid.uuid4().hex
        self.socket = websocket.create_connection(
            server.url(f"api/kernels/{name}/channels?session_id={self.session}", "ws"),
            header=[f"Authorization: token {server.token}"],
            http_no_proxy=["127.0.0.1"],
        )

    def close(self) -> None:
        self.socket.close()

    def execute(self, code: str, *, may_raise: bool = False) -> None:
        """Run a cell to its end; raises `Failed` on an error, a killed kernel, lost outputs, or after ten minutes."""
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "version": "5.3"}
        header |= {"session": self.session, "username": "", "date": ""}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        content |= {"allow_stdin": False, "stop_on_error": True}
        message = {
            "channel": "shell",
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
        }
        self.socket.send(json.dumps(message))
        deadline, missing = time.monotonic() + SECONDS_A_CELL, {"reply", "idle"}
        while missing:
            kind, content, parent = self._next(deadline)
            state = content.get("execution_state") if kind == "status" else None
            if state in ("restarting", "autorestarting", "dead"):
                raise Failed("the kernel was killed")
            if parent != header["msg_id"]:
                continue
            if state == "idle":
                missing.discard("idle")
            elif kind == "execute_reply":
                missing.discard("reply")
            elif kind == "error" and not may_raise:
                raise Failed(f"{content['ename']}: {content['evalue']}")
            elif kind == "stream" and "rate exceeded" in content["text"]:
                raise Failed("it prints or draws more than the server passes on, and the rest is lost")

    def _next(self, deadline: float) -> tuple[str, dict, str | None]:
        """Return type, content and parent's id of the next message; those with pixels behind them are widgets'."""
        while True:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.01))
            try:
                frame = self.socket.recv()
            except websocket.WebSocketTimeoutException:
                raise Failed(f"it did not end within {SECONDS_A_CELL} s") from None
            except (websocket.WebSocketException, OSError) as error:
                raise Failed(f"the server closed the connection ({error})") from None
            if isinstance(frame, str) and frame:
                message = json.loads(frame)
                return message["msg_type"], message["content"], message["parent_header"].get("msg_id")
