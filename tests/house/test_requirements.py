"""What runs in production is installed in production: nothing comes along with a test tool only."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# In a process of its own, in which only what requirements.txt pins can be imported.
ALONE = r"""
import importlib, importlib.metadata, pkgutil, re, sys
normal = lambda name: re.sub(r"[-_.]+", "-", name).lower()
lines = [line for line in open("requirements.txt") if "==" in line and line[0].isalnum()]
pinned = {normal(re.split(r"[=[]", line)[0]) for line in lines}
assert len(pinned) > 50
owners = importlib.metadata.packages_distributions()

class Absent:
    def find_spec(self, name, path=None, target=None):
        held = owners.get(name.partition(".")[0])
        if held and not pinned & {normal(owner) for owner in held}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)

sys.meta_path.insert(0, Absent())
import django
django.setup()
import granian.server, kombu.transport.redis, celery.bin.worker, celery.beat, portal.urls, sharing
late = {"highdicom", "pydicom.sr"} & set(sys.modules)  # seconds, and megabytes of each process
assert not late, f"loaded before anybody needs it: {late}"
for module in pkgutil.walk_packages(sharing.__path__, "sharing."):
    importlib.import_module(module.name)
"""


def test_the_portal_runs_with_its_run_time_requirements_alone(tmp_path: Path) -> None:
    environ = {"DJANGO_SETTINGS_MODULE": "portal.settings", "DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", ALONE],
        cwd=ROOT,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
