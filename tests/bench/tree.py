"""Writes a repository of many releases: FOLDER NUMBER of version directories, ten variants in each."""

import hashlib
import os
import re
import sys

folder, number = sys.argv[1], int(sys.argv[2])


def template(family, base):
    """A family's Dockerfile on another base."""
    with open(f"templates/{family}/Dockerfile") as file:
        text = file.read()
    return re.sub(r"(?m)^(FROM \S+:)\S+", rf"\g<1>{base}", text).replace("-1809", f"-{base}").replace("-alpine3.18", "-alpine3.18")


VARIANTS = {f"alpine3.{minor}": template("alpine", f"3.{minor}") for minor in range(14, 19)}
VARIANTS["scratch"] = template("scratch", "")
for base in ["1809", "ltsc2022"]:
    VARIANTS[f"windowsservercore-{base}"] = template("windowsservercore", base)
    VARIANTS[f"nanoserver-{base}"] = template("nanoserver", base)

for index in range(number):
    version = f"1.{index // 50}.{index % 50}"
    for variant, text in VARIANTS.items():
        count = iter(range(100))
        archive = lambda _: hashlib.sha256(f"{version} {variant[:3]} {next(count)}".encode()).hexdigest()
        path = f"{folder}/{version}/{variant}"
        os.makedirs(path)
        with open(f"{path}/Dockerfile", "w") as file:
            file.write(re.sub("0{64}", archive, text.replace("0.0.0", version)))
