"""Reads Dockerfiles with Docker's own parser: every one that is given has instructions, and its commands are lists."""

import sys

import dockerfile

problems = 0
for path in sys.argv[1:]:
    instructions = dockerfile.parse_file(path)
    names = [instruction.cmd.upper() for instruction in instructions]
    shells = [i for i in instructions if i.cmd.upper() in ("ENTRYPOINT", "CMD", "SHELL") and not i.json]
    for instruction in shells:
        print(f"{path}:{instruction.start_line}: {instruction.cmd} is no list, so a shell would run it")
    if "FROM" not in names:
        print(f"{path}: begins with no image")
    problems += len(shells) + ("FROM" not in names)
sys.exit(1 if problems else 0)
