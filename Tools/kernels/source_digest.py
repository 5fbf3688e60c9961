"""The digest of all that decides the kernels' PTX; prints it when run.

A program carries the digest of the sources that it was built from, and refuses a kernel image of
others. There `Plugins/KernelSources` names the files and `Tools/digest` hashes them: both have to
do what this file does, which a test compares.
"""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]


def files_below(folder, *endings):
    """The files of a folder of the repository and those below it, by the ends of their names."""
    return [path for path in (ROOT / folder).rglob("*") if path.suffix in endings]


def source_files():
    """The Swift files of the core and the kernels, in a fixed order."""
    return sorted(files_below("Sources/EVM", ".swift") + files_below("Sources/Kernels", ".swift"))


def source_digest():
    """FNV-1a of 128 bits over the length and bytes of each name and of each content, by name."""
    files = source_files() + files_below("Sources/Kernels", ".h", ".modulemap")
    files += files_below("Tools/kernels", ".py", ".txt")
    contents = sorted((path.relative_to(ROOT).as_posix().encode(), path) for path in files)
    value = 0x6C62272E07BB014262B821756295C58D
    for name, path in contents:
        content = path.read_bytes()
        for byte in b"%d:%s%d:" % (len(name), name, len(content)) + content:
            value = (value ^ byte) * 0x1000000000000000000013B & (1 << 128) - 1
    return f"{value:032x}"


if __name__ == "__main__":
    print(source_digest())
