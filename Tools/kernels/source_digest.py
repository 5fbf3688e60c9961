"""The digest of all that decides the kernels' PTX, for each group of modules: prints them when run,
those of transactions first, or the one that is named.

A program carries the digest of the sources that it was built from, and refuses a kernel image of
others. There `Plugins/KernelSources` names the files and `Tools/digest` hashes them: both have to
do what this file does, which a test compares.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What the kernels of coprocessors are made of: the beginnings of paths. They leave out the machine, so
# that a change of it does not make them stale.
COPROCESSORS = (
    "Sources/EVM/Words/", "Sources/EVM/Hashing/Keccak", "Sources/EVM/Hashing/SHA256",
    "Sources/EVM/Curves/Secp256k1", "Sources/EVM/Curves/ModularInverse",
    "Sources/EVM/Curves/WindowedDigits", "Sources/EVM/MachineForms",
    "Sources/Kernels/Coprocessors/", "Sources/Kernels/Device", "Sources/Kernels/Modules/Coprocessors",
    "Tools/kernels/",
)
# What those of transactions leave out.
COPROCESSORS_ALONE = ("Sources/Kernels/Coprocessors/", "Sources/Kernels/Modules/Coprocessors")


def files_below(folder, *endings):
    """The files of a folder of the repository and those below it, by the ends of their names."""
    return [path for path in (ROOT / folder).rglob("*") if path.suffix in endings]


def belongs(path, group):
    """Whether a file, by its path, decides the kernels of `transactions` or of `coprocessors`."""
    if group == "coprocessors":
        return path.startswith(COPROCESSORS)
    return not path.startswith(COPROCESSORS_ALONE)


def name(path):
    """A file's path in the repository."""
    return path.relative_to(ROOT).as_posix()


def source_files(group):
    """The Swift files of a group's modules, in a fixed order."""
    files = files_below("Sources/EVM", ".swift") + files_below("Sources/Kernels", ".swift")
    return sorted(path for path in files if belongs(name(path), group))


def source_digest(group):
    """FNV-1a of 128 bits over the length and bytes of each name and of each content, by name."""
    files = source_files(group) + files_below("Sources/Kernels", ".h", ".modulemap")
    files += files_below("Tools/kernels", ".py", ".txt")
    contents = sorted((name(path).encode(), path) for path in files)
    value = 0x6C62272E07BB014262B821756295C58D
    for title, path in contents:
        content = path.read_bytes()
        for byte in b"%d:%s%d:" % (len(title), title, len(content)) + content:
            value = (value ^ byte) * 0x1000000000000000000013B & (1 << 128) - 1
    return f"{value:032x}"


if __name__ == "__main__":
    for each in sys.argv[1:] or ["transactions", "coprocessors"]:
        print(source_digest(each))
