"""Compiles the kernels, Embedded Swift, to PTX: each file of Sources/Kernels/Modules to one.

    compile.py --output FOLDER [--arch sm_90] [--keep-ir] [MODULE ...]

Steps: swiftc gives LLVM IR for a bare x86-64 machine; its text is rewritten for NVPTX (triple,
data layout, calling conventions, linkage), for each module with its own entry points; LLVM (in the
llvmlite wheel) optimises it and emits PTX. The output depends on the sources and the pinned tools
alone: the same input gives the same bytes. `Documentation/Kernels.md` explains each step and what
device code may not do.
"""

import argparse
import concurrent.futures
import itertools
import pathlib
import re
import subprocess
import sys
import tempfile

import llvmlite
import llvmlite.binding as llvm

from source_digest import GROUPS, ROOT, source_digest, source_files

DEVICE_HEADERS = ROOT / "Sources/Kernels/Device"
MODULES = ROOT / "Sources/Kernels/Modules"

TRIPLE = "nvptx64-nvidia-cuda"
DATA_LAYOUT = "e-p6:32:32-i64:64-i128:128-i256:256-v16:16-v32:32-n16:32:64"


class CompileError(Exception):
    """A kernel that can not be compiled, with the reason and what to do."""


def one_module(path, folder):
    """The file to compile: as it is, or a copy without `import EVM`.

    Core and kernels are compiled as one module, so that everything is specialised and inlined.
    """
    text = path.read_text()
    pattern = re.compile(r"^((public|package) )?import EVM$", flags=re.M)
    if not pattern.search(text):
        return path.relative_to(ROOT).as_posix()
    copy = folder / path.relative_to(ROOT / "Sources")
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(pattern.sub("", text))
    return str(copy)


# What swiftc gets besides, by group. The arithmetic of two of them is the device's own, a statement of
# inline assembly each, which LLVM takes for one instruction: it would write out every loop.
ROLLED = ["-Xllvm", "-unroll-full-max-count=0", "-Xllvm", "-unroll-threshold=0"]
OPTIONS = {
    "transactions": [],
    "coprocessors": ["-D", "NEEDLETAIL_DEVICE_FIELD", *ROLLED],
    "precompiles": ["-D", "NEEDLETAIL_DEVICE_MONTGOMERY", *ROLLED],
}


def group(module):
    """The group of a module."""
    return module if module in GROUPS else "transactions"


def emit_ir(group):
    """LLVM IR text of a group's sources as one module."""
    files = source_files(group)
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "kernels.ll"
        inputs = [one_module(path, pathlib.Path(folder)) for path in files]
        command = [
            "swiftc", "-emit-ir", "-o", str(output), "-module-name", "EVM",
            "-package-name", "needletail", "-parse-as-library", "-whole-module-optimization",
            "-target", "x86_64-unknown-none-elf", "-swift-version", "6",
            "-enable-upcoming-feature", "InternalImportsByDefault",
            "-enable-upcoming-feature", "ExistentialAny",
            "-enable-experimental-feature", "Embedded",
            "-enable-experimental-feature", "Extern",
            # Device code does not trap: proofs are in the comments, tests run on the host.
            "-Ounchecked", "-enforce-exclusivity=unchecked",
            # Vectors of the host's width only get in the way of a scalar machine.
            "-Xllvm", "-vectorize-slp=false",
            "-Xfrontend", "-disable-stack-protector",
            "-D", "NEEDLETAIL_DEVICE", "-Xcc", "-DNEEDLETAIL_DEVICE=1",
            "-I", str(DEVICE_HEADERS.relative_to(ROOT)), *OPTIONS[group],
        ]
        result = subprocess.run(command + inputs, cwd=ROOT, capture_output=True, text=True)
        messages = result.stderr.replace(f"{folder}/", "Sources/")
        if result.returncode != 0:
            raise CompileError(f"swiftc failed:\n{messages}")
        sys.stderr.write(messages)
        return output.read_text()


def label(module, digest, arch):
    """The line that says what an image is, for the loader: in the PTX's first line, and as bytes of
    a variable, so that it is found in machine code too."""
    return (f"needletail kernels {module}, sources {digest}, for {arch}, "
            f"llvmlite {llvmlite.__version__}")


def label_variable(text):
    """The label as a constant of the image."""
    # Constant memory is address space 4 (LLVM, "User Guide for NVPTX Back-end").
    return f'\n@needletail_image = addrspace(4) constant [{len(text)} x i8] c"{text}", align 1\n'


def rewrite(ir, entry_points):
    """The same module for NVPTX: entry points become kernels, all else internal."""
    ir = re.sub(r'^target triple = ".*"$', f'target triple = "{TRIPLE}"', ir, flags=re.M)
    ir = re.sub(
        r'^target datalayout = ".*"$', f'target datalayout = "{DATA_LAYOUT}"', ir, flags=re.M)
    ir = re.sub(r'^source_filename = ".*"$', 'source_filename = "kernels"', ir, flags=re.M)
    # The linker's view of a Swift object: the list of kept symbols and autolink entries.
    ir = re.sub(r"^@llvm\.(compiler\.)?used = .*\n", "", ir, flags=re.M)
    ir = re.sub(r"^@_swift1_autolink_entries = .*\n", "", ir, flags=re.M)
    # Names the back end must not see. Quoted names may hold anything: words stand alone.
    for word in ("swiftcc", "swifttailcc", "swiftself", "swifterror", "swiftasync"):
        ir = re.sub(rf"(?<![\w$.@\"]){word}(?![\w$.\"]) ?", "", ir)
    # x86 features and tuning are of no use there; facts about effects and inlining are.
    ir = re.sub(r"^attributes #\d+ = \{.*\}$", rewrite_attributes, ir, flags=re.M)
    lines = []
    for line in ir.split("\n"):
        if line.startswith("define "):
            line = rewrite_definition(line, entry_points)
        elif line.startswith("@"):
            line = rewrite_global(line)
        lines.append(line)
    return "\n".join(lines)


def rewrite_attributes(match):
    """One attribute group without strings and stack protection."""
    line = re.sub(r' "[^"]*"(="[^"]*")?', "", match.group(0))
    return re.sub(r" (sspreq|sspstrong|ssp|uwtable(\(\w+\))?|allockind\([^)]*\))(?= )", "", line)


LINKAGE = (
    r"(?:(?:private|internal|external|linkonce_odr|linkonce|weak_odr|weak|available_externally"
    r"|dso_local|hidden|protected|default|unnamed_addr|local_unnamed_addr) )*")


def rewrite_definition(line, entry_points):
    """One `define` line: kernels are exported, everything else is internal."""
    match = re.match(rf'define {LINKAGE}(.*?@("[^"]*"|[\w$.]+)\(.*)', line)
    if match is None:
        raise CompileError(f"this definition is not understood: {line}")
    rest, name = match.group(1), match.group(2).strip('"')
    rest = re.sub(r" comdat(\(.*?\))?", "", rest)
    rest = re.sub(r"(?<=\)) local_unnamed_addr| unnamed_addr(?= #)", "", rest)
    if name not in entry_points:
        return f"define internal {rest}"
    if bounds := entry_points[name]:
        threads, blocks = bounds
        rest = rest.removesuffix("{") + f'"nvvm.maxntid"="{threads}" "nvvm.minctasm"="{blocks}" {{'
    return f"define ptx_kernel {rest}"


def rewrite_global(line):
    """One global variable, constant or alias: internal."""
    match = re.match(rf'(@(?:"[^"]*"|[\w$.]+)) = {LINKAGE}((?:global|constant|alias) .*)', line)
    if match is None:
        return line
    body = re.sub(r", comdat(\(.*?\))?", "", match.group(2))
    return f"{match.group(1)} = internal {body}"


def entry_points():
    """The names given to `@_cdecl`, by module, which is named as its file is; each with the threads of a
    block and the blocks that a multiprocessor is to hold, where a comment gives them."""
    names = {}
    for path in sorted(MODULES.glob("*.swift")):
        found = {
            match[3]: (int(match[1]), int(match[2])) if match[1] else None
            for match in re.finditer(
                r'^\s*(?:// launch bounds: (\d+) threads, (\d+) blocks\n\s*)?@_cdecl\("(\w+)"\)',
                path.read_text(), flags=re.M)}
        if not found:
            raise CompileError(f'no entry point: {path} has no function with @_cdecl("...")')
        names[path.stem.lower()] = found
    if not names:
        raise CompileError(f"no module: there is no Swift file in {MODULES}")
    return names


def optimise(ir, arch, ptx_version, unrolls):
    """PTX of rewritten IR, and the optimised IR."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    module = llvm.parse_assembly(ir)
    module.verify()
    machine = llvm.Target.from_triple(TRIPLE).create_target_machine(
        cpu=arch, features=f"+{ptx_version}", opt=3)
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = False
    options.slp_vectorization = False
    options.loop_unrolling = unrolls
    builder = llvm.create_pass_builder(machine, options)
    manager = builder.getModulePassManager()
    manager.run(module, builder)
    optimised = str(module)
    if re.search(r'call .*@"\$es5UInt8VWO', optimised):
        raise CompileError(
            "bytes are copied by a call each: in the core, UnsafeMutableRawPointer.copyMemory(from:byteCount:) "
            "in place of update(from:count:)")
    module = llvm.parse_assembly(in_words(optimised))
    check_calls(module)
    return machine.emit_assembly(module), str(module)


# Fills and copies by words where addresses allow it. The back end makes loops over single bytes of them;
# nothing optimises these functions, so nobody makes a fill of the fill's loop.
BLOCK_FUNCTIONS = """
define internal void @needletail_fill(ptr %to, i8 %byte, i64 %count, i1 %volatile) noinline {
entry:
  %address = ptrtoint ptr %to to i64
  %odd = and i64 %address, 7
  %fits = icmp eq i64 %odd, 0
  %wide = zext i8 %byte to i64
  %word = mul i64 %wide, 72340172838076673
  %whole = and i64 %count, -8
  %end = select i1 %fits, i64 %whole, i64 0
  br label %words
words:
  %i = phi i64 [ 0, %entry ], [ %i.next, %word.step ]
  %more = icmp ult i64 %i, %end
  br i1 %more, label %word.step, label %bytes
word.step:
  %place = getelementptr i8, ptr %to, i64 %i
  store i64 %word, ptr %place, align 8
  %i.next = add i64 %i, 8
  br label %words
bytes:
  %j = phi i64 [ %end, %words ], [ %j.next, %byte.step ]
  %left = icmp ult i64 %j, %count
  br i1 %left, label %byte.step, label %done
byte.step:
  %spot = getelementptr i8, ptr %to, i64 %j
  store i8 %byte, ptr %spot, align 1
  %j.next = add i64 %j, 1
  br label %bytes
done:
  ret void
}

define internal void @needletail_copy(ptr %to, ptr %from, i64 %count, i1 %volatile) noinline {
entry:
  %a = ptrtoint ptr %to to i64
  %b = ptrtoint ptr %from to i64
  %distance = sub i64 %a, %b
  %apart = icmp uge i64 %distance, %count
  br i1 %apart, label %forwards, label %backwards
forwards:
  %both = or i64 %a, %b
  %odd8 = and i64 %both, 7
  %fits8 = icmp eq i64 %odd8, 0
  %whole8 = and i64 %count, -8
  %end8 = select i1 %fits8, i64 %whole8, i64 0
  %odd4 = and i64 %both, 3
  %fits4 = icmp eq i64 %odd4, 0
  %whole4 = and i64 %count, -4
  %end4 = select i1 %fits4, i64 %whole4, i64 0
  br label %eights
eights:
  %i = phi i64 [ 0, %forwards ], [ %i.next, %eight ]
  %more8 = icmp ult i64 %i, %end8
  br i1 %more8, label %eight, label %fours
eight:
  %from8 = getelementptr i8, ptr %from, i64 %i
  %to8 = getelementptr i8, ptr %to, i64 %i
  %v8 = load i64, ptr %from8, align 8
  store i64 %v8, ptr %to8, align 8
  %i.next = add i64 %i, 8
  br label %eights
fours:
  %k = phi i64 [ %end8, %eights ], [ %k.next, %four ]
  %more4 = icmp ult i64 %k, %end4
  br i1 %more4, label %four, label %ones
four:
  %from4 = getelementptr i8, ptr %from, i64 %k
  %to4 = getelementptr i8, ptr %to, i64 %k
  %v4 = load i32, ptr %from4, align 4
  store i32 %v4, ptr %to4, align 4
  %k.next = add i64 %k, 4
  br label %fours
ones:
  %j = phi i64 [ %k, %fours ], [ %j.next, %one ]
  %more1 = icmp ult i64 %j, %count
  br i1 %more1, label %one, label %done
one:
  %from1 = getelementptr i8, ptr %from, i64 %j
  %to1 = getelementptr i8, ptr %to, i64 %j
  %v1 = load i8, ptr %from1, align 1
  store i8 %v1, ptr %to1, align 1
  %j.next = add i64 %j, 1
  br label %ones
backwards:
  %r = phi i64 [ %count, %entry ], [ %r.next, %back ]
  %rest = icmp ne i64 %r, 0
  br i1 %rest, label %back, label %done
back:
  %r.next = add i64 %r, -1
  %from0 = getelementptr i8, ptr %from, i64 %r.next
  %to0 = getelementptr i8, ptr %to, i64 %r.next
  %v0 = load i8, ptr %from0, align 1
  store i8 %v0, ptr %to0, align 1
  br label %backwards
done:
  ret void
}
"""


# A fill or a copy of a known length: the call up to the first operand, its operands, and the length.
KNOWN_LENGTH = re.compile(
    r"^(  (?:tail )?call void @llvm\.(memset|memcpy)\.\S+?)\((ptr[^,]*), ([^,]*), i64 (\d+), i1 false\)(.*)$",
    flags=re.M)
PIECES = itertools.count()


# What the back end still turns into words, and not into a loop over bytes.
PIECE = 64


def in_pieces(match):
    """Such a call as calls for a piece each: of longer ones the back end makes a loop over single bytes."""
    call, kind, to, what, length, rest = match.groups()
    lines = []

    def place(operand, start):
        """The operand so many bytes on: its type and attributes without what is known of its length, its name."""
        words, _, name = operand.rpartition(" ")
        words = re.sub(r" dereferenceable\(\d+\)", "", words)
        if start == 0:
            return f"{words} {name}"
        moved = f"%needletail.{next(PIECES)}"
        space = re.match(r"ptr( addrspace\(\d+\))?", words)[0]
        lines.append(f"  {moved} = getelementptr i8, {space} {name}, i64 {start}")
        return f"{words} {moved}"

    for start in range(0, int(length), PIECE):
        operands = place(to, start), what if kind == "memset" else place(what, start)
        piece = min(PIECE, int(length) - start)
        lines.append(f"{call}({operands[0]}, {operands[1]}, i64 {piece}, i1 false){rest}")
    return "\n".join(lines)


def in_words(ir):
    """The module with fills and copies of unknown lengths by words, and long ones of known lengths in pieces."""
    ir = KNOWN_LENGTH.sub(lambda match: in_pieces(match) if int(match[5]) > PIECE else match[0], ir)
    for name, kind in (
            ("needletail_fill", r"memset\.p0"), ("needletail_copy", r"mem(?:cpy|move)\.p0\.p0")):
        ir = re.sub(
            rf"(call void )@llvm\.{kind}\.i64(\((?:[^()]|\([^()]*\))*, i64 %[^,]*, i1 false\))",
            rf"\1@{name}\2", ir)
    used = any(f"@{name}(" in ir for name in ("needletail_fill", "needletail_copy"))
    return ir + BLOCK_FUNCTIONS if used else ir


def check_calls(module):
    """No calls out of the image: there is nothing to link with on a device."""
    missing = [
        function.name for function in module.functions
        if function.is_declaration and not function.name.startswith("llvm.")]
    if not missing:
        return
    report = []
    text = str(module)
    for name in missing:
        callers = []
        for body in re.findall(r"^define .*?^}", text, flags=re.M | re.S):
            if re.search(rf'@"?{re.escape(name)}"?\(', body.split("\n", 1)[1]):
                callers.append(re.search(r'@"?([\w$.]+)"?\(', body).group(1))
        report.append(f"  {name}, called by {demangle(callers)}")
    raise CompileError("the kernels call what a device does not have:\n" + "\n".join(report))


def demangle(names):
    """Swift names for people; the mangled ones when the tool is not at hand."""
    try:
        result = subprocess.run(
            ["swift-demangle", "--simplified", "--compact", *names],
            capture_output=True, text=True, check=True)
        return ", ".join(result.stdout.splitlines())
    except (OSError, subprocess.CalledProcessError):
        return ", ".join(names)


def compile_module(ir, name, entries, text, arguments):
    """Writes the PTX of one module, and says where."""
    ptx, optimised = optimise(
        rewrite(ir, entries) + label_variable(text), arguments.arch, arguments.ptx_version,
        unrolls=group(name) == "transactions")
    path = arguments.output / f"{name}.ptx"
    path.write_text(f"// {text}\n{ptx}")
    if arguments.keep_ir:
        path.with_suffix(".ll").write_text(optimised)
    return f"kernels: {path} for {arguments.arch}, {len(ptx)} bytes"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=pathlib.Path, required=True, help="a folder for the PTX")
    parser.add_argument("--arch", default="sm_90", help="the device (default sm_90)")
    parser.add_argument("--ptx-version", default="ptx83", help="PTX version (default ptx83)")
    parser.add_argument("--keep-ir", action="store_true", help="also write the optimised IR")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="only these (default all)")
    arguments = parser.parse_args()
    try:
        modules = entry_points()
        unknown = set(arguments.modules) - modules.keys()
        if unknown:
            raise CompileError(f"no module {', '.join(unknown)}: there are {', '.join(modules)}")
        arguments.output.mkdir(parents=True, exist_ok=True)
        wanted = arguments.modules or list(modules)
        groups = sorted({group(name) for name in wanted})
        # Before the work: sources that change meanwhile make an image of neither version.
        digests = {each: source_digest(each) for each in groups}
        with concurrent.futures.ProcessPoolExecutor() as pool:
            ir = dict(zip(groups, pool.map(emit_ir, groups)))
            for done in [
                    pool.submit(
                        compile_module, ir[group(name)], name, modules[name],
                        label(name, digests[group(name)], arguments.arch), arguments)
                    for name in wanted]:
                print(done.result())
        if any(source_digest(each) != digests[each] for each in groups):
            raise CompileError("the sources changed while they were compiled: run it again")
    except (CompileError, RuntimeError) as error:
        sys.exit(f"kernels: {error}")


if __name__ == "__main__":
    main()
