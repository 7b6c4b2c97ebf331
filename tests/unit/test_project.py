"""What holds the files of the project together: lists that stand twice, and what an import may cost."""

import json
import os
import re
import subprocess
import sys
import tomllib
from urllib.parse import unquote

import pytest
import yaml
from helpers import ROOT

import lumbar_utils
from lumbar_utils.checkpoints import read_checkpoint
from lumbar_utils.dashboard.serve import SETTINGS
from lumbar_utils.evaluation import evaluate, load_results


def pip_list(file):
    dependencies = yaml.safe_load((ROOT / file).read_text())["dependencies"]
    return [dependencies[:-1], dependencies[-1]["pip"]]


def requirement_names(lines):
    return {re.split(r"[<>=;~ \[]", line, maxsplit=1)[0] for line in lines if not line.startswith("-")}


def test_the_two_environment_files_carry_the_same_list():
    ours, binders = pip_list("environment.yml"), pip_list("binder/environment.yml")
    assert ours[1][0] == "-c requirements.lock" and binders[1][0] == "-c ../requirements.lock"
    assert ours[0] == binders[0] and ours[1][1:] == binders[1][1:]


def test_the_environment_files_name_what_the_package_needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert requirement_names(pip_list("environment.yml")[1]) == requirement_names(project["dependencies"])


def test_the_lock_pins_every_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = requirement_names(project["dependencies"] + project["optional-dependencies"]["dev"])
    pinned = requirement_names((ROOT / "requirements.lock").read_text().splitlines())
    assert wanted <= pinned


@pytest.mark.parametrize(
    "statement",
    [
        "import lumbar_utils",
        "import lumbar_utils.dashboard.app",
        "from lumbar_utils.dashboard import about, diagnose, how_sure, look_inside",
        "import lumbar_utils.runtime, lumbar_utils.sources, lumbar_utils.evaluation, lumbar_utils.figures",
    ],
)
def test_tensorflow_is_not_imported(statement):
    code = f"import sys; {statement}; assert not {{'tensorflow', 'keras', 'torch', 'jax'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)


def test_every_public_name_loads():
    import lumbar_utils

    for name in lumbar_utils.__all__:
        assert getattr(lumbar_utils, name) is not None
    with pytest.raises(AttributeError, match="it offers"):
        _ = lumbar_utils.no_such_name


def test_the_repositorys_address_agrees_everywhere():
    address = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["repository"]
    slug = address.removeprefix("https://github.com/")
    texts = [ROOT / "README.md", ROOT / "docs" / "teaching.md", *sorted((ROOT / "notebooks").glob("*.ipynb"))]
    for file in texts:
        for found in re.findall(
            r"(?:github\.com|/gh|colab\.research\.google\.com/github)/([\w.-]+/[\w.-]+)",
            unquote(file.read_text()),
        ):
            assert found.removesuffix(".git") == slug, f"{file.name} points to {found}"


def test_the_citation_names_this_version_and_repository():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == project["version"] == lumbar_utils.__version__
    assert cited["repository-code"] == project["urls"]["repository"]


def test_the_readmes_scores_are_those_of_the_stored_predictions():
    readme = (ROOT / "README.md").read_text()
    for predictions in load_results("zoo").values():
        report = evaluate(predictions)
        assert f"{report.accuracy} | {report.macro_f1}" in readme, f"{predictions.model}: {report.accuracy}"


def test_the_readmes_localiser_figures_are_the_stored_ones():
    readme = (ROOT / "README.md").read_text()
    found = json.loads((ROOT / "results" / "localiser" / "real_slices.json").read_text())
    for part in (found, found["parasagittal"]):
        counts = [f"{part[key]['n']:.0f} of {part[key]['of']}" for key in ("bodies_found", "levels_right")]
        assert f"| {counts[0]} [" in readme and f"| {counts[1]} [" in readme
        dice = part["body_dice"]
        assert f"| {dice['value']:.3f} [{dice['low']:.3f}, {dice['high']:.3f}] |" in readme
    for key in ("boxes_with_a_disc", "box_centres_on_a_disc"):
        share = found[key]
        assert f"| {share['n']:.0f} of {share['of']} [{share['low']:.2f}, {share['high']:.2f}] |" in readme
    assert found["checkpoint"]["model.tflite"] == read_checkpoint("localiser").card["files"]["model.tflite"]


def test_the_readme_links_to_files_that_exist():
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", (ROOT / "README.md").read_text()):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize(
    ("arguments", "passed_on"),
    [([], ""), (["PORT=9"], "--port 9"), (["PORT=9", "HOST=::1"], "--port 9 --host ::1")],
)
def test_make_hands_on_only_the_address_that_was_given(arguments, passed_on):
    command = ["make", "--dry-run", "--assume-old=.venv/.ready", "dashboard", *arguments]
    environment = {"PATH": os.environ["PATH"], "HOST": "a-machine"}
    recipe = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert recipe.splitlines()[-1].split("lumbar_utils dashboard")[1].strip() == passed_on


def test_binder_serves_the_dashboard_with_the_launchers_settings():
    """Binder runs Voila inside Jupyter's server, which reads voila.json; the launcher reads no such file."""
    binder = json.loads((ROOT / "voila.json").read_text())["VoilaConfiguration"]
    ours = dict(SETTINGS["VoilaConfiguration"])
    for standalone_only in ("preheat_kernel", "default_pool_size"):
        del ours[standalone_only]
    assert binder == ours | {"template": "lumbar"}
