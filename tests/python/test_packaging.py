"""The package as pip installs it, beside the system's packages and without a network."""
import importlib.util
import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT


def test_pip_installs_the_package_with_its_types(tmp_path):
    for module in ("pip", "setuptools", "wheel"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"there is no module {module}: run scripts/setup test")
    # pip builds in the folder that it installs from.
    source, site = tmp_path / "python", tmp_path / "site"
    shutil.copytree(ROOT / "python", source, ignore=shutil.ignore_patterns("build", "*.egg-info"))
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation"),
            *("--no-deps", "--no-index", "--target", site, source),
        ],
        check=True,
        timeout=120,
        env=dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_ROOT_USER_ACTION="ignore"),
    )
    assert (site / "gstfer" / "py.typed").exists()
    assert {file.name for file in (site / "gstfer").glob("*.py")} == {
        file.name for file in (ROOT / "python" / "gstfer").glob("*.py")
    }
    done = subprocess.run(
        [sys.executable, "-B", "-c", "import gstfer; print(gstfer.__file__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=str(site)),
    )
    assert done.stdout.strip() == str(site / "gstfer" / "__init__.py")
