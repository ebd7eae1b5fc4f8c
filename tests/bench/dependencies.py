"""Prints what each direct dependency costs: the crates that only it brings, and the seconds of processor time to build them."""

import json
import re
import subprocess
import sys

report = open(sys.argv[1]).read()
seconds = {}
for unit in json.loads(re.search(r"const UNIT_DATA = (\[.*?\]);", report, re.S).group(1)):
    name = f"{unit['name']} {unit['version']}"
    seconds[name] = seconds.get(name, 0) + unit["duration"]

metadata = json.loads(subprocess.run(["cargo", "metadata", "--format-version=1", "--locked"], check=True, capture_output=True).stdout)
names = {package["id"]: f"{package['name']} {package['version']}" for package in metadata["packages"]}
built = {id for id in names if names[id] in seconds}
edges = {node["id"]: [id for id in node["dependencies"] if id in built] for node in metadata["resolve"]["nodes"]}
root = metadata["resolve"]["root"]


def reached(start):
    found, todo = set(), list(start)
    while todo:
        id = todo.pop()
        if id not in found:
            found.add(id)
            todo += edges[id]
    return found


normal = [d["pkg"] for n in metadata["resolve"]["nodes"] if n["id"] == root for d in n["deps"] if any(k["kind"] is None for k in d["dep_kinds"])]
rows = []
for id in normal:
    alone = reached([id]) - reached([other for other in normal if other != id])
    rows.append((sum(seconds[names[one]] for one in alone), len(alone), names[id].split()[0]))
print("what only one dependency brings:")
for time, number, name in sorted(rows, reverse=True):
    print(f"  {name:14} {number:3} crates  {time:5.1f} s")
