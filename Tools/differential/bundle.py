#!/usr/bin/env python3
"""Takes a differential run to a machine that has Python 3.12 and neither Swift nor a network.

    Tools/differential/bundle.py make differential.tar.xz
    python3 Tools/differential/bundle.py run differential.tar.xz --count 9000 --jobs 16

`make` writes an archive of the engine (built here, with Swift's libraries in it), the packages of
the executable specification and the state tests that the generator changes. `run` unpacks it and
calls differential.py with the options that follow, among them --seconds for machines that are lent
by the minute. Both need the same commit: a case depends on the generator's text.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# The other machine's Python, and the C libraries that it has at least.
PYTHON = "3.12"
PLATFORMS = ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"]


def build_engine(target):
    command = ["swift", "build", "-c", "release", "--static-swift-stdlib",
               "--scratch-path", ".build/static", "--product", "needletail"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    folder = subprocess.run(
        command + ["--show-bin-path"], cwd=ROOT, check=True, capture_output=True, text=True)
    shutil.copy(pathlib.Path(folder.stdout.strip()) / "needletail", target)
    subprocess.run(["strip", target], check=True)


def install_packages(target):
    # What pip says of packages that are installed here does not concern the target.
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--no-compile", "--target", target, "--requirement", HERE / "requirements.txt",
         "--python-version", PYTHON, "--implementation", "cp", "--only-binary=:all:"]
        + [f"--platform={platform}" for platform in PLATFORMS], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    tag = "cpython-" + PYTHON.replace(".", "") + "-"
    for module in target.rglob("*.so"):
        if ".abi3." not in module.name and tag not in module.name:
            sys.exit(f"bundle: {module.name} is not for Python {PYTHON}")


def make(options):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        build_engine(folder / "needletail")
        install_packages(folder / "packages")
        tests = pathlib.Path(options.fixtures) / "eest" / "state_tests"
        if tests.is_dir():
            shutil.copytree(tests, folder / "fixtures" / "eest" / "state_tests")
        else:
            print(f"bundle: no {tests}: all blocks will be random", file=sys.stderr)
        with tarfile.open(options.archive, "w:xz", preset=9) as archive:
            archive.add(folder, arcname=".")
    print(f"{options.archive}: {os.path.getsize(options.archive) / 1e6:.1f} MB")


def run(options):
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(options.archive) as archive:
            archive.extractall(folder, filter="data")
        command = [sys.executable, HERE / "differential.py", "--engine", f"{folder}/needletail",
                   "--fixtures", f"{folder}/fixtures", "--no-cache", *options.options]
        environment = dict(os.environ, PYTHONPATH=f"{folder}/packages", PYTHONNOUSERSITE="1")
        return subprocess.run(command, env=environment).returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    actions = parser.add_subparsers(required=True)
    maker = actions.add_parser("make", help="write an archive")
    maker.add_argument("archive")
    maker.add_argument("--fixtures", help="the folder of the public suites",
                       default=os.environ.get("NEEDLETAIL_FIXTURES", ROOT / ".fixtures"))
    maker.set_defaults(action=make)
    runner = actions.add_parser("run", help="run what is in an archive")
    runner.add_argument("archive")
    runner.add_argument("options", nargs=argparse.REMAINDER, help="for differential.py")
    runner.set_defaults(action=run)
    options = parser.parse_args()
    return options.action(options)


if __name__ == "__main__":
    sys.exit(main())
