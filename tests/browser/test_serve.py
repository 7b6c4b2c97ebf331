"""The launcher where no page is needed: ports that are taken, addresses that are not ours, Ctrl+C."""

import json
import socket
import sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from serving import free_port, start, stop


@pytest.mark.parametrize("verb", ["dashboard", "lab"])
def test_taken_port_gives_one_line_that_names_the_remedy(verb):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(verb, "--port", str(port))
        output, errors = process.communicate(timeout=300)
    assert process.returncode != 0
    assert output == ""
    (line,) = errors.splitlines()
    assert str(port) in line
    assert "PORT=" in line


def test_address_of_another_machine_gives_one_line():
    process = start("dashboard", "--host", "192.0.2.1", "--port", str(free_port()))
    _, errors = process.communicate(timeout=300)
    assert process.returncode != 0
    (line,) = errors.splitlines()
    assert "192.0.2.1" in line


def test_ctrl_c_stops_it_without_a_traceback():
    process = start("dashboard", "--port", str(free_port()))
    for line in process.stdout:
        if line.startswith("open"):
            break
    code = stop(process)
    assert "Traceback" not in process.stderr.read()
    assert code == 0 or sys.platform == "win32"


def test_with_a_token_nobody_gets_in_without_it(monkeypatch):
    monkeypatch.setenv("LUMBAR_TOKEN", "three-discs")
    port = free_port()
    process = start("dashboard", "--port", str(port))
    try:
        line = next(line for line in process.stdout if line.startswith("open"))
        assert "and give the token" in line and "three-discs" not in line
        address = f"http://127.0.0.1:{port}/"
        with urlopen(address, timeout=300) as answer:
            assert "/login" in answer.url  # a form, and no kernel behind it
        for way in ("api/kernels", "voila/api/shutdown/x"):
            with pytest.raises(HTTPError) as refused:
                urlopen(Request(address + way, method="POST", data=json.dumps({}).encode()), timeout=300)
            assert refused.value.code in (403, 404)
        with urlopen(Request(address, headers={"Authorization": "token wrong"}), timeout=300) as answer:
            assert "/login" in answer.url
        with urlopen(Request(address, headers={"Authorization": "token three-discs"}), timeout=300) as answer:
            assert "/login" not in answer.url and b"lumbar" in answer.read()
    finally:
        stop(process)
