"""The opcodes as the generator knows them: name, byte, pops, pushes, first fork.

Written by hand from the EIPs, apart from the engine's own table, so that a wrong row there
shows up as a difference instead of being repeated here.
"""

FORKS = [
    "Frontier", "Homestead", "DaoFork", "TangerineWhistle", "SpuriousDragon", "Byzantium",
    "ConstantinopleFix", "Istanbul", "MuirGlacier", "Berlin", "London", "ArrowGlacier",
    "GrayGlacier", "Paris", "Shanghai", "Cancun", "Prague", "Osaka", "BPO1", "BPO2",
]
RANK = {name: rank for rank, name in enumerate(FORKS)}


def since(fork, first):
    """Whether the rules of `first` hold in `fork`."""
    return RANK[fork] >= RANK[first]


# Binary, ternary and unary words without other effects: (name, byte, pops, first fork).
ARITHMETIC = [
    ("ADD", 0x01, 2, "Frontier"), ("MUL", 0x02, 2, "Frontier"), ("SUB", 0x03, 2, "Frontier"),
    ("DIV", 0x04, 2, "Frontier"), ("SDIV", 0x05, 2, "Frontier"), ("MOD", 0x06, 2, "Frontier"),
    ("SMOD", 0x07, 2, "Frontier"), ("ADDMOD", 0x08, 3, "Frontier"),
    ("MULMOD", 0x09, 3, "Frontier"), ("EXP", 0x0A, 2, "Frontier"),
    ("SIGNEXTEND", 0x0B, 2, "Frontier"), ("LT", 0x10, 2, "Frontier"), ("GT", 0x11, 2, "Frontier"),
    ("SLT", 0x12, 2, "Frontier"), ("SGT", 0x13, 2, "Frontier"), ("EQ", 0x14, 2, "Frontier"),
    ("ISZERO", 0x15, 1, "Frontier"), ("AND", 0x16, 2, "Frontier"), ("OR", 0x17, 2, "Frontier"),
    ("XOR", 0x18, 2, "Frontier"), ("NOT", 0x19, 1, "Frontier"), ("BYTE", 0x1A, 2, "Frontier"),
    ("SHL", 0x1B, 2, "ConstantinopleFix"), ("SHR", 0x1C, 2, "ConstantinopleFix"),
    ("SAR", 0x1D, 2, "ConstantinopleFix"), ("CLZ", 0x1E, 1, "Osaka"),
]

# Opcodes that only push one word.
ENVIRONMENT = [
    ("ADDRESS", 0x30, "Frontier"), ("ORIGIN", 0x32, "Frontier"), ("CALLER", 0x33, "Frontier"),
    ("CALLVALUE", 0x34, "Frontier"), ("CALLDATASIZE", 0x36, "Frontier"),
    ("CODESIZE", 0x38, "Frontier"), ("GASPRICE", 0x3A, "Frontier"),
    ("RETURNDATASIZE", 0x3D, "Byzantium"), ("COINBASE", 0x41, "Frontier"),
    ("TIMESTAMP", 0x42, "Frontier"), ("NUMBER", 0x43, "Frontier"),
    ("DIFFICULTY", 0x44, "Frontier"), ("GASLIMIT", 0x45, "Frontier"),
    ("CHAINID", 0x46, "Istanbul"), ("SELFBALANCE", 0x47, "Istanbul"),
    ("BASEFEE", 0x48, "London"), ("BLOBBASEFEE", 0x4A, "Cancun"), ("PC", 0x58, "Frontier"),
    ("MSIZE", 0x59, "Frontier"), ("GAS", 0x5A, "Frontier"),
]

STOP, KECCAK256, BALANCE, CALLDATALOAD, CALLDATACOPY = 0x00, 0x20, 0x31, 0x35, 0x37
CODECOPY, EXTCODESIZE, EXTCODECOPY, RETURNDATASIZE, RETURNDATACOPY = 0x39, 0x3B, 0x3C, 0x3D, 0x3E
EXTCODEHASH, BLOCKHASH, BLOBHASH, POP, MLOAD, MSTORE, MSTORE8 = (
    0x3F, 0x40, 0x49, 0x50, 0x51, 0x52, 0x53)
SLOAD, SSTORE, JUMP, JUMPI, GAS, JUMPDEST, TLOAD, TSTORE, MCOPY = (
    0x54, 0x55, 0x56, 0x57, 0x5A, 0x5B, 0x5C, 0x5D, 0x5E)
PUSH0, PUSH1, DUP1, SWAP1, LOG0 = 0x5F, 0x60, 0x80, 0x90, 0xA0
CREATE, CALL, CALLCODE, RETURN, DELEGATECALL, CREATE2, STATICCALL, REVERT, INVALID = (
    0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xFA, 0xFD, 0xFE)
SELFDESTRUCT = 0xFF

# Bytes that no fork up to BPO2 defines.
UNDEFINED = [0x0C, 0x0F, 0x1F, 0x21, 0x2F, 0x4B, 0x4F, 0xA5, 0xB0, 0xD0, 0xE0, 0xE6, 0xEF, 0xF6,
             0xF7, 0xFB, 0xFC]
