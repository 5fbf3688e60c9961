"""The digest of all that decides the kernels' PTX, for each group of modules: prints them when run, in
the order of `groups.txt`, or the one that is named.

A program carries the digest of the sources that it was built from, and refuses a kernel image of
others. There `Plugins/KernelSources` names the files and `Tools/digest` hashes them: both have to
do what this file does, which a test compares.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def read_groups():
    """The groups of `groups.txt`, each with the beginnings of its paths and of those left out."""
    groups = {}
    for line in (ROOT / "Tools/kernels/groups.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            group, path = line.split()
            wanted, left_out = groups.setdefault(group, ([], []))
            if path.startswith("-"):
                left_out.append(path[1:])
            else:
                wanted.append(path)
    return groups


GROUPS = read_groups()


def files_below(folder, *endings):
    """The files of a folder of the repository and those below it, by the ends of their names."""
    return [path for path in (ROOT / folder).rglob("*") if path.suffix in endings]


def belongs(path, group):
    """Whether a file, by its path, decides the kernels of a group."""
    wanted, left_out = GROUPS[group]
    if left_out:
        return not path.startswith(tuple(left_out))
    return path.startswith(tuple(wanted))


def name(path):
    """A file's path in the repository."""
    return path.relative_to(ROOT).as_posix()


def source_files(group):
    """The Swift files of a group's modules, in a fixed order."""
    files = files_below("Sources/EVM", ".swift") + files_below("Sources/Kernels", ".swift")
    return sorted(path for path in files if belongs(name(path), group))


def source_digest(group):
    """FNV-1a of 128 bits over the length and bytes of each name and of each content, by name."""
    others = files_below("Sources/Kernels", ".h", ".modulemap")
    others += files_below("Tools/kernels", ".py", ".txt")
    files = source_files(group) + [path for path in others if belongs(name(path), group)]
    contents = sorted((name(path).encode(), path) for path in files)
    value = 0x6C62272E07BB014262B821756295C58D
    for title, path in contents:
        content = path.read_bytes()
        for byte in b"%d:%s%d:" % (len(title), title, len(content)) + content:
            value = (value ^ byte) * 0x1000000000000000000013B & (1 << 128) - 1
    return f"{value:032x}"


if __name__ == "__main__":
    for each in sys.argv[1:] or GROUPS:
        print(source_digest(each))
