"""Reads PowerShell with a grammar of it: scripts, and the RUN instructions of Dockerfiles whose escape is a backtick."""

import sys

import dockerfile
import tree_sitter
import tree_sitter_powershell

parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))


def texts(path):
    """The PowerShell of a file, each with the line that it begins in."""
    if path.endswith(".ps1"):
        with open(path, "rb") as script:
            yield 1, script.read()
        return
    for instruction in dockerfile.parse_file(path):
        if instruction.cmd.upper() == "RUN":
            yield instruction.start_line, instruction.value[0].encode()


def errors(node):
    if node.type == "ERROR" or node.is_missing:
        yield node
    for child in node.children:
        yield from errors(child)


problems = 0
for path in sys.argv[1:]:
    for start, text in texts(path):
        for node in errors(parser.parse(text).root_node):
            print(f"{path}:{start + node.start_point[0]}: no PowerShell: {node.text.decode()[:60]!r}")
            problems += 1
sys.exit(1 if problems else 0)
