"""What the rehearsal of Binder rests on: the list that pip gets, a limit that kills, cells that fail by name."""

import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import nbformat.v4 as nb
import pytest
import yaml
from binder.kernels import run_notebook
from binder.server import serve
from helpers import ROOT

from binder import environment, memory

MEGABYTES = 10**6
PARENT_AND_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; held = bytearray({child}); time.sleep(60)"])
print("code", child.wait(), flush=True)
time.sleep(60)
"""


def test_pip_gets_the_list_as_it_is_written():
    listed = yaml.safe_load((ROOT / "binder" / "environment.yml").read_text())["dependencies"]
    lines = environment.pip_lines(listed).splitlines()
    assert lines[0] == "-c ../requirements.lock" and "voila" in lines
    assert any(line.startswith("tensorflow-cpu; platform_machine ==") for line in lines)


def test_the_watcher_adds_up_a_tree_and_kills_only_its_largest_process():
    program = PARENT_AND_CHILD.format(child=300 * MEGABYTES)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        watch = memory.Watch(parent.pid, 200 * MEGABYTES)
        assert parent.stdout.readline() == "code -9\n"
        watch.stop()
        assert parent.poll() is None and watch.killed_at > 200 * MEGABYTES
        assert watch.peak >= watch.killed_at
        parent.kill()


def test_the_watcher_lets_live_what_keeps_to_the_limit():
    program = f"held = bytearray({100 * MEGABYTES}); print(1, flush=True); input()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", program], **pipes) as process:
        process.stdout.readline()
        watch = memory.Watch(process.pid, 400 * MEGABYTES)
        while not watch.peak:
            time.sleep(memory.INTERVAL)
        time.sleep(2 * memory.INTERVAL)
        watch.stop()
        assert process.poll() is None and not watch.killed_at
        assert 100 * MEGABYTES < watch.peak < 200 * MEGABYTES


def test_a_control_group_is_made_in_the_nearest_one_that_limits_memory(tmp_path):
    (tmp_path / "user" / "session").mkdir(parents=True)
    for folder, controllers in (("", "cpu memory"), ("user", "cpu memory"), ("user/session", "")):
        (tmp_path / folder / "cgroup.subtree_control").write_text(controllers)
    mine = tmp_path / "mine"
    mine.write_text("4:memory:/elsewhere\n0::/user/session\n")
    folder = memory.control_group(tmp_path, mine)
    assert folder.parent == tmp_path / "user"
    assert int((folder / "memory.max").read_text()) == memory.LIMIT
    mine.write_text("4:memory:/elsewhere\n")
    assert memory.control_group(tmp_path, mine) is None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("binder")


@pytest.fixture(scope="module")
def server(folder):
    """JupyterLab of this environment, in an empty folder that is also its home."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = {"PATH": path, "HOME": str(folder)}
    with serve(folder, variables, cpus=1, prefix=(), log=folder / "server.log") as server:
        yield server


def run_cells(server, folder, *sources):
    cells = [nb.new_code_cell(each) if isinstance(each, str) else each for each in sources]
    nbformat.write(nb.new_notebook(cells=cells), folder / "a.ipynb")
    return run_notebook(server, "a.ipynb")


def test_a_failing_cell_is_named_unless_it_may_fail(server, folder):
    may_fail = nb.new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]})
    assert run_cells(server, folder, "import os", may_fail, "print(os.getcwd())") == ""
    assert (
        run_cells(server, folder, "a = 1", "\na / 0")
        == "cell [2], `a / 0`: ZeroDivisionError: division by zero"
    )
    assert "more than the server passes on" in run_cells(
        server, folder, "for _ in range(9): print('x' * 10**6)"
    )


def test_a_kernel_above_the_limit_is_killed_and_its_cell_is_named(server, folder):
    watch = memory.Watch(server.process.pid, 500 * MEGABYTES)
    hungry = "import time\nheld = bytearray(600 * 10**6)\ntime.sleep(60)"
    assert run_cells(server, folder, "1", hungry) == "cell [2], `import time`: the kernel was killed"
    watch.stop()
    assert watch.killed_at > 500 * MEGABYTES and server.process.poll() is None
    assert server.ask("GET", "api/kernels").json() == []
