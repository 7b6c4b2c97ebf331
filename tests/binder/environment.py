"""What Binder builds: the packages of binder/environment.yml in an empty environment, then postBuild in a copy."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "binder"
ENVIRONMENT, CHECKOUT, HOME = BUILD / "environment", BUILD / "checkout", BUILD / "home"
DECIDES = ("binder/environment.yml", "binder/postBuild", "requirements.lock")
# how this machine reaches its package registry, which pip has to know and the lessons have not
REGISTRY = ("PIP_", "SSL_CERT_", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@contextmanager
def alone() -> Iterator[None]:
    """Keep `BUILD` for this process; exits where another rehearsal has it."""
    import fcntl  # not on Windows, which has no bash for postBuild either

    BUILD.mkdir(parents=True, exist_ok=True)
    with open(BUILD / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit(f"Another rehearsal runs in {BUILD.relative_to(ROOT)}; wait until it has ended.")
        yield


def build(log) -> None:
    """Copy the checkout, install the packages unless they are there already, and run postBuild."""
    copy_checkout()
    for_pip = variables() | {
        name: value for name, value in os.environ.items() if name.upper().startswith(REGISTRY)
    }
    install(for_pip, log)
    script = CHECKOUT / "binder" / "postBuild"
    script.chmod(0o755)
    subprocess.run([script], cwd=CHECKOUT, env=for_pip, check=True, stdout=subprocess.DEVNULL)


def copy_checkout() -> None:
    """Clone the last commit and carry over what has changed since, as if all of it were committed now."""
    shutil.rmtree(CHECKOUT, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", ROOT, CHECKOUT], check=True)
    changed = git_names("diff", "--name-only", "HEAD")
    for name in changed + git_names("ls-files", "--others", "--exclude-standard"):
        if (ROOT / name).is_file():
            (CHECKOUT / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, CHECKOUT / name)
        else:
            (CHECKOUT / name).unlink(missing_ok=True)


def git_names(*arguments: str) -> list[str]:
    listed = subprocess.check_output(["git", *arguments, "-z"], cwd=ROOT, text=True)
    return [name for name in listed.split("\0") if name]


def install(environment: dict[str, str], log) -> None:
    """Make the environment anew where a file that decides on it has changed."""
    listed = yaml.safe_load((CHECKOUT / "binder" / "environment.yml").read_text())["dependencies"]
    python = python_of(listed)
    text = b"".join((CHECKOUT / name).read_bytes() for name in DECIDES) + os.fsencode(python)
    stamp, wanted = ENVIRONMENT / ".ready", hashlib.sha256(text).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    log("installing the packages of binder/environment.yml (about 3 GB, a few minutes)")
    subprocess.run([python, "-m", "venv", "--clear", ENVIRONMENT], check=True)
    packages = CHECKOUT / "binder" / "packages.txt"  # beside environment.yml, as conda does, for `-c ../…`
    packages.write_text(pip_lines(listed))
    command = ["python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", packages]
    subprocess.run(command, env=environment, check=True)
    packages.unlink()
    stamp.write_text(wanted)


def pip_lines(dependencies: list) -> str:
    """Return what pip reads: the list under `pip:`, a line each."""
    return "\n".join(next(each["pip"] for each in dependencies if isinstance(each, dict)))


def python_of(dependencies: list) -> str:
    """Return an interpreter of the version that environment.yml names; exits where this machine has none."""
    version = next(each for each in dependencies if str(each).startswith("python=")).removeprefix("python=")
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    found = shutil.which(f"python{version}")
    if found is None:
        sys.exit(f"binder/environment.yml wants Python {version}; put a python{version} on the PATH.")
    return found


def variables() -> dict[str, str]:
    """Return the variables of a new user whose programs come from the environment first; HOME is emptied."""
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    path = os.pathsep.join([str(ENVIRONMENT / "bin"), "/usr/local/bin", "/usr/bin", "/bin"])
    return {"PATH": path, "HOME": str(HOME), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "SHELL": "/bin/bash"}
