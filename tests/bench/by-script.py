"""What a script does that has every path and architecture written down: the bump of this repository without templates.

FROM ROOT OLD NEW: downloads NEW's SHA256SUMS from below FROM, writes version and hashes file by file, renames the directory.
"""

import os
import re
import sys
import urllib.request

address, root, old, new = sys.argv[1:]
ARCHES = ["arm64", "arm6", "arm7", "amd64", "386"]
DOCKERFILES = ["alpine3.18", "scratch", "windowsservercore-1809", "nanoserver-1809"]
SCRIPTS = ["build-images.sh", "run-images.sh", "build-images-2019.ps1", "run-images-2019.ps1"]

hashes = {}
with urllib.request.urlopen(f"{address}/v{new}/SHA256SUMS") as response:
    for line in response.read().decode().splitlines():
        value, name = line.split()
        hashes[name] = value


def rewrite(path, edits):
    with open(path, newline="") as file:
        text = file.read()
    for pattern, value in edits:
        text = re.sub(pattern, value, text)
    with open(path, "w", newline="") as file:
        file.write(text)


version = (re.escape(old), new)
for variant in DOCKERFILES:
    edits = [version]
    for arch in ARCHES:
        value = hashes[f"nats-streaming-server-v{new}-linux-{arch}.tar.gz"]
        edits.append((rf"(natsArch='{arch}'; sha256=')[0-9a-f]{{64}}", rf"\g<1>{value}"))
    zip_hash = hashes[f"nats-streaming-server-v{new}-windows-amd64.zip"]
    edits.append((r"(SHASUM[= ])[0-9a-f]{64}", rf"\g<1>{zip_hash}"))
    rewrite(os.path.join(root, old, variant, "Dockerfile"), edits)
for script in SCRIPTS:
    rewrite(os.path.join(root, "tests", script), [version])
os.rename(os.path.join(root, old), os.path.join(root, new))
