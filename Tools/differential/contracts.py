"""Random byte code that mostly keeps its stack valid and mostly does something.

A `Program` is written statement by statement. It knows the height of the stack, so that operands
exist unless a fault is wanted, and it keeps a data section behind the code for init code,
precompile inputs and call data.
"""

import opcodes as op
import precompile_inputs
from opcodes import since
from precompile_inputs import random_bytes

EDGES = [0, 1, 2, 3, 31, 32, 33, 63, 64, 127, 128, 255, 256, 257, (1 << 16) - 1, (1 << 31) - 1,
         (1 << 32) - 1, 1 << 32, (1 << 63) - 1, (1 << 64) - 1, 1 << 64, (1 << 127), (1 << 128) - 1,
         1 << 128, (1 << 255) - 1, 1 << 255, (1 << 255) + 1, (1 << 256) - 2, (1 << 256) - 1]


class World:
    """What code may refer to: the addresses and numbers of the block around it."""

    def __init__(self, fork, number):
        self.fork = fork
        self.number = number
        self.addresses = []
        self.contracts = []

    def address(self, rng):
        roll = rng.random()
        if roll < 0.45 and self.contracts:
            return rng.choice(self.contracts)
        if roll < 0.9:
            return rng.choice(self.addresses)
        if roll < 0.97:
            return precompile_inputs.pick(rng, self.fork).to_bytes(20, "big")
        return random_bytes(rng, 20)


class Program:
    def __init__(self, rng, world, depth=0):
        self.rng = rng
        self.world = world
        self.fork = world.fork
        self.depth = depth
        self.out = bytearray()
        self.data = bytearray()
        self.patches = []
        self.height = 0
        self.floor = 0
        self.budget = 400

    # Single pieces

    def emit(self, byte, pops=0, pushes=0):
        self.out.append(byte)
        self.height += pushes - pops

    def push(self, value):
        value &= (1 << 256) - 1
        rng = self.rng
        size = (value.bit_length() + 7) // 8
        if size == 0 and since(self.fork, "Shanghai") and rng.random() < 0.8:
            self.emit(op.PUSH0, 0, 1)
            return
        size = max(size, 1)
        if rng.random() < 0.03:
            size = rng.randrange(size, 33)
        self.emit(op.PUSH1 + size - 1, 0, 1)
        self.out += value.to_bytes(size, "big")

    def push_data_offset(self, offset):
        """Push where `offset` of the data section will lie in the code."""
        self.emit(op.PUSH1 + 1, 0, 1)
        self.patches.append((len(self.out), offset))
        self.out += b"\0\0"

    def add_data(self, data):
        offset = len(self.data)
        self.data += data
        return offset

    def word(self):
        """Push one word from anywhere."""
        rng = self.rng
        roll = rng.random()
        if roll < 0.35:
            self.push(rng.choice(EDGES))
        elif roll < 0.5:
            self.push(rng.getrandbits(8 * rng.randrange(1, 33)))
        elif roll < 0.62 and self.height > 0:
            depth = rng.randrange(min(16, self.height))
            self.emit(op.DUP1 + depth, 0, 1)
        elif roll < 0.7:
            self.push(rng.choice([0, 4, 32, 64, rng.randrange(100)]))
            self.emit(op.CALLDATALOAD, 1, 1)
        elif roll < 0.76:
            self.push(self.slot())
            self.emit(op.SLOAD, 1, 1)
        elif roll < 0.82:
            self.offset()
            self.emit(op.MLOAD, 1, 1)
        elif roll < 0.86:
            self.address()
        else:
            name, byte, first = rng.choice(op.ENVIRONMENT)
            if since(self.fork, first):
                self.emit(byte, 0, 1)
            else:
                self.push(rng.randrange(256))

    def slot(self):
        rng = self.rng
        return rng.choice([0, 0, 1, 1, 2, 3, 4]) if rng.random() < 0.95 else rng.choice(EDGES)

    def offset(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.93:
            self.push(rng.choice([0, 0, 1, 31, 32, 33, 64, 96, rng.randrange(300)]))
        elif roll < 0.985:
            self.push(rng.choice([512, 1000, 4096, 32767, 32768, 70000]))
        else:
            self.push(rng.choice(EDGES))

    def size(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.94:
            self.push(rng.choice([0, 0, 1, 20, 31, 32, 32, 33, 64, rng.randrange(200)]))
        elif roll < 0.985:
            self.push(rng.choice([1024, 5000, 24576, 24577, 49152]))
        else:
            self.push(rng.choice(EDGES))

    def address(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.06:
            self.emit(0x30, 0, 1)
        elif roll < 0.09:
            self.emit(0x33, 0, 1)
        elif roll < 0.12:
            self.emit(0x32, 0, 1)
        elif roll < 0.15:
            self.emit(0x41, 0, 1)
        else:
            value = int.from_bytes(self.world.address(rng), "big")
            if rng.random() < 0.03:
                value |= rng.getrandbits(96) << 160
            self.push(value)

    def gas(self):
        """Push a gas argument of a call."""
        rng = self.rng
        roll = rng.random()
        if roll < 0.5:
            if since(self.fork, "TangerineWhistle"):
                self.emit(op.GAS, 0, 1)
            else:
                self.push(rng.choice([3000, 10000, 20000, 40000]))
                self.emit(op.GAS, 0, 1)
                self.emit(0x03, 2, 1)
        elif roll < 0.9:
            self.push(rng.choice([0, 100, 700, 2300, 5000, 10000, 25000, 50000, 100000]))
        else:
            self.push(rng.choice([(1 << 32), (1 << 63) - 1, (1 << 64) - 1, (1 << 64) + 30000,
                                  (1 << 256) - 1]))

    def value(self):
        rng = self.rng
        self.push(rng.choice([0, 0, 0, 0, 1, 1, 2, 1000, 10 ** 18, 1 << 255])
                  if rng.random() < 0.95 else rng.choice(EDGES))

    def drop_to(self, height):
        while self.height > height:
            self.emit(op.POP, 1, 0)

    # Statements

    def keep(self):
        """Do something with the word on top: store, drop or leave it."""
        rng = self.rng
        roll = rng.random()
        if roll < 0.35:
            self.push(self.slot())
            self.emit(op.SSTORE, 2, 0)
        elif roll < 0.6:
            self.offset()
            self.emit(op.MSTORE, 2, 0)
        elif roll < 0.8 or self.height > self.floor + 12:
            self.emit(op.POP, 1, 0)

    def arithmetic(self):
        rng = self.rng
        while True:
            name, byte, pops, first = rng.choice(op.ARITHMETIC)
            if since(self.fork, first):
                break
        if self.height - self.floor < pops or rng.random() < 0.75:
            for _ in range(pops):
                self.word()
        self.emit(byte, pops, 1)
        self.keep()

    def storage(self):
        rng = self.rng
        transient = since(self.fork, "Cancun") and rng.random() < 0.3
        if rng.random() < 0.65:
            self.push(rng.choice([0, 0, 1, 1, 2, 3, 0xFF, rng.getrandbits(256)]))
            self.push(self.slot())
            self.emit(op.TSTORE if transient else op.SSTORE, 2, 0)
        else:
            self.push(self.slot())
            self.emit(op.TLOAD if transient else op.SLOAD, 1, 1)
            self.keep()

    def memory(self):
        rng = self.rng
        choice = rng.randrange(6)
        if choice == 0:
            self.word()
            self.offset()
            self.emit(rng.choice([op.MSTORE, op.MSTORE8]), 2, 0)
        elif choice == 1:
            self.offset()
            self.emit(op.MLOAD, 1, 1)
            self.keep()
        elif choice == 2:
            self.size()
            self.offset()
            self.offset()
            if since(self.fork, "Cancun"):
                self.emit(op.MCOPY, 3, 0)
            else:
                self.emit(op.CALLDATACOPY, 3, 0)
        elif choice == 3:
            self.size()
            self.offset()
            self.offset()
            self.emit(rng.choice([op.CALLDATACOPY, op.CODECOPY]), 3, 0)
        elif choice == 4:
            self.size()
            self.offset()
            self.emit(op.KECCAK256, 2, 1)
            self.keep()
        else:
            self.emit(0x59, 0, 1)
            self.keep()

    def accounts(self):
        rng = self.rng
        choice = rng.randrange(5)
        if choice == 0:
            self.address()
            self.emit(op.BALANCE, 1, 1)
        elif choice == 1:
            self.address()
            self.emit(op.EXTCODESIZE, 1, 1)
        elif choice == 2:
            self.address()
            self.emit(op.EXTCODEHASH, 1, 1)
        elif choice == 3:
            self.size()
            self.offset()
            self.offset()
            self.address()
            self.emit(op.EXTCODECOPY, 4, 0)
            return
        else:
            roll = rng.random()
            if roll < 0.6:
                self.push(max(0, self.world.number - rng.choice([0, 1, 2, 5, 255, 256, 257, -1])))
            else:
                self.word()
            if roll < 0.3 and since(self.fork, "Cancun"):
                self.out.append(op.POP)
                self.height -= 1
                self.push(rng.choice([0, 0, 1, 2, 5, 1 << 64]))
                self.emit(op.BLOBHASH, 1, 1)
            else:
                self.emit(op.BLOCKHASH, 1, 1)
        self.keep()

    def log(self):
        count = self.rng.randrange(5)
        for _ in range(count):
            self.word()
        self.size()
        self.offset()
        self.emit(op.LOG0 + count, count + 2, 0)

    def stack(self):
        rng = self.rng
        if self.height > self.floor + 1 and rng.random() < 0.6:
            reach = min(16, self.height - self.floor - 1)
            self.emit(op.SWAP1 + rng.randrange(reach), 0, 0)
        else:
            for _ in range(rng.randrange(1, 4)):
                self.word()

    def copy_data(self, data, destination=0):
        """Bring bytes of the data section into memory."""
        start = self.add_data(data)
        self.push(len(data))
        self.push_data_offset(start)
        self.push(destination)
        self.emit(op.CODECOPY, 3, 0)

    def call_kinds(self):
        kinds = [(op.CALL, 7), (op.CALL, 7), (op.CALLCODE, 7)]
        if since(self.fork, "Homestead"):
            kinds += [(op.DELEGATECALL, 6)] * 2
        if since(self.fork, "Byzantium"):
            kinds += [(op.STATICCALL, 6)] * 2
        return kinds

    def call(self):
        rng = self.rng
        kind, pops = rng.choice(self.call_kinds())
        if rng.random() < 0.2:
            self.copy_data(random_bytes(rng, rng.choice([4, 32, 36, 68])))
        self.size()
        self.offset()
        self.size()
        self.offset()
        if pops == 7:
            self.value()
        self.address()
        self.gas()
        self.emit(kind, pops, 1)
        self.after_call()

    def after_call(self):
        rng = self.rng
        self.keep()
        if since(self.fork, "Byzantium") and rng.random() < 0.35:
            if rng.random() < 0.85:
                self.emit(op.RETURNDATASIZE, 0, 1)
                self.push(0)
            else:
                self.push(rng.choice([0, 1, 32, 33, 64, (1 << 256) - 1]))
                self.push(rng.choice([0, 1, 32, 64, (1 << 256) - 1]))
            self.offset()
            self.emit(op.RETURNDATACOPY, 3, 0)

    def precompile(self):
        rng = self.rng
        number = precompile_inputs.pick(rng, self.fork)
        data = precompile_inputs.make(rng, number)
        kind, pops = rng.choice(self.call_kinds())
        self.copy_data(data)
        self.push(rng.choice([0, 32, 64, 96, 128, 256]))
        self.push(rng.choice([0, 32, 512]))
        self.push(len(data))
        self.push(0)
        if pops == 7:
            self.push(rng.choice([0, 0, 0, 1]))
        self.push(number)
        need = precompile_inputs.gas_hint(number, data)
        self.push(need if rng.random() < 0.9 else rng.randrange(need))
        self.emit(kind, pops, 1)
        self.after_call()

    def create(self):
        rng = self.rng
        init = init_code(rng, self.world, self.depth + 1)
        self.copy_data(init)
        second = since(self.fork, "ConstantinopleFix") and rng.random() < 0.5
        if second:
            self.push(rng.choice([0, 0, 1, rng.getrandbits(256)]))
        self.push(len(init) if rng.random() < 0.95 else rng.choice(
            [0, 1, len(init) + 1, 49152, 49153]))
        self.push(0)
        self.value()
        self.emit(op.CREATE2 if second else op.CREATE, 4 if second else 3, 1)
        if rng.random() < 0.5:
            # Call what was made: outSize outOffset inSize inOffset value address gas
            self.height -= 1
            position = self.height
            self.height += 1
            for _ in range(5):
                self.push(rng.choice([0, 0, 0, 1]) if self.height == position + 5 else 0)
            self.emit(op.DUP1 + 5, 0, 1)
            self.gas()
            self.emit(op.CALL, 7, 1)
            self.emit(op.POP, 1, 0)
        self.after_call()

    def branch(self):
        """A forward jump over a few statements, taken or not."""
        self.word()
        self.emit(op.PUSH1 + 1, 0, 1)
        place = len(self.out)
        self.out += b"\0\0"
        self.emit(op.JUMPI, 2, 0)
        height, floor = self.height, self.floor
        self.floor = self.height
        self.statements(self.rng.randrange(1, 3))
        self.drop_to(height)
        self.floor = floor
        self.out[place:place + 2] = len(self.out).to_bytes(2, "big")
        self.emit(op.JUMPDEST)

    def loop(self):
        rng = self.rng
        self.push(rng.choice([1, 2, 3, 5, 20]) if rng.random() < 0.97 else 0xFFFF)
        start = len(self.out)
        self.emit(op.JUMPDEST)
        height, floor = self.height, self.floor
        self.floor = self.height
        self.statements(rng.randrange(1, 3))
        self.drop_to(height)
        self.floor = floor
        self.push(1)
        self.emit(op.SWAP1)
        self.emit(0x03, 2, 1)
        self.emit(op.DUP1, 0, 1)
        self.push(start)
        self.emit(op.JUMPI, 2, 0)
        self.emit(op.POP, 1, 0)

    def fault(self):
        """Something that usually ends the frame in an exception."""
        rng = self.rng
        roll = rng.random()
        if roll < 0.25:
            self.out.append(rng.choice(op.UNDEFINED + [op.INVALID]))
        elif roll < 0.45:
            # Defined in a later fork only, or defined here: either way its real effect.
            self.out.append(rng.randrange(256))
        elif roll < 0.6:
            self.push(rng.choice([0, len(self.out) + 1, len(self.out), 1 << 64]))
            self.emit(op.JUMP, 1, 0)
        elif roll < 0.75:
            self.out.append(rng.choice([op.POP, op.SWAP1 + 15, op.DUP1 + 15, 0x08, op.CALL]))
        elif roll < 0.85:
            self.out += random_bytes(rng, rng.randrange(1, 8))
        else:
            self.word()
            self.word()
            self.emit(rng.choice([op.REVERT, op.RETURN]), 2, 0)

    STATEMENTS = [
        ("arithmetic", 30), ("storage", 18), ("memory", 14), ("accounts", 9), ("log", 5),
        ("stack", 6), ("call", 14), ("precompile", 9), ("create", 3), ("branch", 4),
        ("loop", 3), ("fault", 1.2),
    ]
    NAMES = [name for name, _ in STATEMENTS]
    WEIGHTS = [weight for _, weight in STATEMENTS]

    def statements(self, count):
        for _ in range(count):
            if self.budget <= 0:
                return
            self.budget -= 1
            name = self.rng.choices(self.NAMES, self.WEIGHTS)[0]
            if name == "create" and self.depth >= 2:
                name = "arithmetic"
            if name in ("loop", "branch"):
                self.budget -= 5
            getattr(self, name)()
            if self.height > 40:
                self.drop_to(max(self.floor, 20))

    def end(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.35:
            self.size()
            self.offset()
            self.emit(op.RETURN, 2, 0)
        elif roll < 0.6:
            self.emit(op.STOP)
        elif roll < 0.72:
            self.address()
            self.emit(op.SELFDESTRUCT, 1, 0)
        elif roll < 0.8:
            self.size()
            self.offset()
            self.emit(op.REVERT, 2, 0)
        elif roll < 0.84:
            self.emit(op.INVALID)
        elif roll < 0.9:
            self.fault()

    def finish(self):
        code = self.out
        if self.data:
            code.append(op.STOP)
        base = len(code)
        for place, offset in self.patches:
            code[place:place + 2] = ((base + offset) & 0xFFFF).to_bytes(2, "big")
        return bytes(code + self.data)


def contract(rng, world):
    """Run-time code of a contract of the pre-state."""
    program = Program(rng, world)
    if rng.random() < 0.15:
        for _ in range(rng.choice([8, 17, 20])):
            program.push(rng.randrange(256))
    program.statements(rng.choice([1, 3, 6, 10, 15, 25]))
    program.end()
    return program.finish()


def diver(rng, world):
    """Code that calls itself until a limit stops it, then counts in storage or logs."""
    program = Program(rng, world)
    kind, pops = rng.choice(program.call_kinds())
    for _ in range(pops - 2):
        program.push(0)
    program.emit(0x30, 0, 1)
    program.push(rng.choice([500, 2000, 30000]))
    program.emit(op.GAS, 0, 1)
    program.emit(0x03, 2, 1)
    program.emit(kind, pops, 1)
    if rng.random() < 0.5:
        program.push(0)
        program.emit(op.SLOAD, 1, 1)
        program.emit(0x01, 2, 1)
        program.push(0)
        program.emit(op.SSTORE, 2, 0)
    elif rng.random() < 0.3:
        program.create()
    else:
        program.push(0)
        program.push(0)
        program.emit(op.LOG0 + 1, 3, 0)
    return program.finish()


def init_code(rng, world, depth=1):
    """Init code: a few statements, then one of the endings that matter for creation."""
    program = Program(rng, world, depth)
    program.statements(rng.choice([0, 0, 1, 2, 4]))
    roll = rng.random()
    if roll < 0.55:
        inner = Program(rng, world, depth + 1)
        inner.statements(rng.choice([0, 1, 3]))
        inner.end()
        runtime = inner.finish()
    elif roll < 0.65:
        runtime = b""
    elif roll < 0.72:
        runtime = b"\xef" + random_bytes(rng, rng.choice([0, 1, 22]))
    elif roll < 0.76:
        runtime = b"\xef\x01\x00" + world.address(rng)
    elif roll < 0.8:
        program.push(rng.choice([24576, 24577, 25000]))
        program.push(0)
        program.emit(op.RETURN, 2, 0)
        return program.finish()
    else:
        program.end()
        return program.finish()
    program.copy_data(runtime)
    program.push(len(runtime))
    program.push(0)
    program.emit(op.RETURN, 2, 0)
    return program.finish()
