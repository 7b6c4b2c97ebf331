"""The set-up check names what is wrong and how to mend it."""

import subprocess
import sys

import pytest
from helpers import ROOT

from lumbar_utils import doctor
from lumbar_utils.checkpoints import CHECKPOINTS
from lumbar_utils.teaching.doctor import (
    look_at_disk,
    look_at_memory,
    look_at_networks,
    look_at_packages,
    look_at_python,
)


def test_this_machine_is_in_order():
    findings = doctor()
    assert [finding.subject for finding in findings] == [
        "Python",
        "packages",
        "memory",
        "disk",
        "networks",
        "results",
    ]
    assert findings.in_order, findings
    assert "MEND" not in repr(findings)


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_another_python_is_named_with_the_ones_that_serve(version):
    finding = look_at_python(version)
    assert finding.state == "mend"
    assert "3.11, 3.12 or 3.13" in finding.remedy and f"{version[0]}.{version[1]}" in finding.found


def test_packages_are_compared_by_version_and_extras_left_out():
    finding = look_at_packages(["numpy>=1", "no-such-thing>=2", "pandas<1", "nothing-else; extra == 'dev'"])
    assert finding.state == "mend" and "pip install" in finding.remedy
    assert "no-such-thing is missing, wanted >=2" in finding.found
    assert "pandas is " in finding.found and "wanted <1" in finding.found
    assert "numpy" not in finding.found and "nothing-else" not in finding.found


@pytest.mark.parametrize(("limit", "state"), [(1e9, "mend"), (2e9, "mind"), (16e9, "good")])
def test_memory_is_judged_by_what_a_lesson_holds(limit, state):
    finding = look_at_memory(limit)
    assert finding.state == state and f"{limit / 1e9:.1f} GB" in finding.found


def test_the_least_of_all_limits_of_memory_counts(tmp_path, monkeypatch):
    limit = tmp_path / "memory.max"
    limit.write_text("2147483648\n")
    module = sys.modules["lumbar_utils.teaching.doctor"]
    monkeypatch.setattr(module, "CGROUP_LIMITS", (limit, tmp_path / "none"))
    monkeypatch.delenv("MEM_LIMIT", raising=False)
    assert module.memory_limit() == 2147483648
    monkeypatch.setenv("MEM_LIMIT", "1000000000")
    assert module.memory_limit() == 1e9
    limit.write_text("max\n")
    monkeypatch.delenv("MEM_LIMIT")
    assert module.memory_limit() > 2e9


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LUMBAR_CACHE", str(tmp_path / "file" / "below"))
    finding = look_at_disk()
    assert finding.state == "mend" and "LUMBAR_CACHE" in finding.remedy


def test_a_damaged_network_is_named(tmp_path):
    shipped = CHECKPOINTS / "cnn_course"
    copy = tmp_path / "cnn_course"
    copy.mkdir()
    for file in shipped.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    assert look_at_networks(tmp_path).state == "good"
    (copy / "model.tflite").write_bytes(b"cut")
    finding = look_at_networks(tmp_path)
    assert finding.state == "mend" and "cnn_course" in finding.found and "git checkout" in finding.remedy
    assert look_at_networks(tmp_path / "nowhere").state == "mend"


def test_the_command_answers_without_tensorflow():
    code = (
        "import sys; from lumbar_utils.__main__ import main; code = main(['doctor']); "
        "sys.exit(code or 'tensorflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("good  Python")
