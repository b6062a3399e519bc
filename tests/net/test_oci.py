# SPDX-License-Identifier: BSD-2-Clause
"""The container images that config/oci/build-image makes: what they say and weigh, and a run with two capabilities and a
read-only root. MCPROXY_IMAGE_ROOT has the programs of config/oci/build-static; without it, they are those of this build."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from ctl import MCPROXYCTL
from families import FAMILIES
from mcproxy_daemon import PROGRAM
from netlab import Sender, wait_until

TOP = Path(__file__).resolve().parents[2]
STATIC = os.environ.get("MCPROXY_IMAGE_ROOT")
SIZE_MAX = 2 * 1000 * 1000
CAP_NET_ADMIN, CAP_NET_RAW = 12, 13
CONFIGURATION = 'protocol = [ "IGMPv3", "MLDv2" ]; instances = ("eth0 ==> eth1");'
HEALTH_CHECK = ["/mcproxyctl", "doctor", "--quick"]
# As a container engine starts it: another root, read-only but for /run, and two capabilities.
CONTAINER = """
import ctypes, os, subprocess, sys
root = sys.argv[1]
for command in (["--make-rprivate", "/"], ["--bind", root, root], ["-o", "remount,bind,ro", root],
                ["-t", "tmpfs", "none", root + "/run"], ["-t", "proc", "none", root + "/proc"]):
    subprocess.run(["mount", *command], check=True)
os.chroot(root)
os.chdir("/")
libc = ctypes.CDLL(None, use_errno=True)
for capability in range(41):
    if capability not in (12, 13):
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
os.execv(sys.argv[2], sys.argv[2:])
"""

pytestmark = pytest.mark.skipif(shutil.which("buildah") is None, reason="buildah is not installed")


def libraries(program):
    return re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout)


def copy_build(root):
    """The programs of this build, with the libraries that a static build contains."""
    for name in ("etc", "run", "proc"):
        (root / name).mkdir(parents=True)
    for program in (PROGRAM, Path(MCPROXYCTL)):
        shutil.copy(program, root / program.name)
        for library in libraries(program):
            (root / library[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, root / library[1:])
    return root


@pytest.fixture(name="build_image", scope="module")
def fixture_build_image(tmp_path_factory):
    root = Path(STATIC) if STATIC else copy_build(tmp_path_factory.mktemp("build") / "root")

    def build_image(target):
        subprocess.run([TOP / "config/oci/build-image", root, target], check=True, capture_output=True)
    return build_image


def unpack(image, path):
    """Unpacks an archive for Docker: the root directory below `path`, and the image's configuration."""
    with tarfile.open(image) as archive:
        archive.extractall(path / "image")
    manifest = json.loads((path / "image/manifest.json").read_text())[0]
    for layer in manifest["Layers"]:
        with tarfile.open(path / "image" / layer) as archive:
            archive.extractall(path / "root")
    return path / "root", json.loads((path / "image" / manifest["Config"]).read_text())["config"]


def test_oci_image_has_its_entry_point(build_image, tmp_path):
    build_image(tmp_path / "layout")

    def blob(digest):
        return json.loads((tmp_path / "layout/blobs/sha256" / digest.partition(":")[2]).read_text())
    manifest = blob(json.loads((tmp_path / "layout/index.json").read_text())["manifests"][0]["digest"])
    configuration = blob(manifest["config"]["digest"])["config"]
    assert configuration["Entrypoint"] == ["/mcproxy"] and configuration["Cmd"] == ["-c", "/etc/mcproxy.conf"]


def test_dockerfile_makes_the_same_image(build_image, tmp_path):
    """The Dockerfile's last stage. Its first one is an image of Debian from a registry; here, the files that it leaves."""
    build_image(f"docker-archive:{tmp_path / 'image.tar'}")
    root, expected = unpack(tmp_path / "image.tar", tmp_path / "expected")
    first, last = (TOP / "config/oci/Dockerfile").read_text().split("\n\n", 1)
    for script, arguments in re.findall(r"/source/(\S+) ([^&\n]*)", first):
        assert os.access(TOP / script, os.X_OK) and arguments
    (tmp_path / "Dockerfile").write_text(f"FROM scratch AS build\nCOPY root /build/root\n\n{last}")
    shutil.copytree(root, tmp_path / "root")
    buildah = ["buildah", "--root", tmp_path / "store", "--runroot", tmp_path / "run", "--storage-driver", "vfs"]
    subprocess.run([*buildah, "bud", "--quiet", "--format", "docker", "-t", "image", tmp_path], check=True, capture_output=True)
    subprocess.run([*buildah, "push", "--quiet", "--format", "v2s2", "image", f"docker-archive:{tmp_path / 'made.tar'}"], check=True, capture_output=True)
    made_root, made = unpack(tmp_path / "made.tar", tmp_path / "made")
    assert {path.relative_to(made_root) for path in made_root.rglob("*")} == {path.relative_to(root) for path in root.rglob("*")}
    for key in ("Entrypoint", "Cmd", "Healthcheck"):
        wanted = {name: value for name, value in expected[key].items() if name != "Retries"} if key == "Healthcheck" else expected[key]
        assert made[key] == wanted


def test_image_runs_with_two_capabilities_and_a_read_only_root(router, build_image, tmp_path):
    build_image(f"docker-archive:{tmp_path / 'image.tar'}")
    root, configuration = unpack(tmp_path / "image.tar", tmp_path)
    command = configuration["Entrypoint"] + configuration["Cmd"]
    assert command == ["/mcproxy", "-c", "/etc/mcproxy.conf"]
    assert configuration["Healthcheck"]["Test"] == ["CMD", *HEALTH_CHECK]
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    if STATIC:
        print(f"the image has {size} bytes")
        assert size <= SIZE_MAX
    (root / "etc/mcproxy.conf").write_text(CONFIGURATION)

    daemon = router.router.start("unshare", "--mount", sys.executable, "-c", CONTAINER, root, *command)
    for family in FAMILIES:
        wait_until(lambda f=family: len(f.vifs(router.router)) == 2, 10, lambda: f"both links; stderr: {daemon.stderr}")
        Sender(router.source, "eth0", family.group).start(pps=50)
        family.receiver(router.host).join(family.group).wait_for(10, timeout=8)

    status = Path("/proc", str(daemon.pid), "status").read_text()
    allowed = int(re.search(r"CapBnd:\s*(\w+)", status)[1], 16)
    assert allowed == 1 << CAP_NET_ADMIN | 1 << CAP_NET_RAW

    def healthy():
        check = subprocess.run(["nsenter", f"--net=/proc/{daemon.pid}/ns/net", f"--mount=/proc/{daemon.pid}/ns/mnt", f"--root=/proc/{daemon.pid}/root",
                                *HEALTH_CHECK], capture_output=True, check=False)
        assert check.stdout == b""
        return check.returncode == 0
    wait_until(healthy, 10, lambda: f"a good health check; stderr: {daemon.stderr}", interval=0.2)
    daemon.close()
