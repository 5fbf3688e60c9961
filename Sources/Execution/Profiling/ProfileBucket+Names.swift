public import EVM

extension ProfileBucket {
  /// All buckets, in the order of tables.
  public static let all = (0..<UInt8(count)).compactMap { ProfileBucket(rawValue: $0) }

  /// The name in tables and files.
  public var name: String {
    switch self {
    case .intrinsicSignature: "intrinsic signature"
    case .intrinsicBase: "intrinsic base"
    case .intrinsicCalldata: "intrinsic calldata"
    case .intrinsicLists: "intrinsic lists"
    case .calldataFloor: "calldata floor"
    case .glue: "glue"
    case .storageRead: "storage read"
    case .storageWrite: "storage write"
    case .accountAccess: "account access"
    case .log: "log"
    case .hash: "hash"
    case .create: "create"
    case .ecRecover: "ecrecover"
    case .sha256: "sha256"
    case .ripemd160: "ripemd160"
    case .identity: "identity"
    case .modExp: "modexp"
    case .bn254Add: "bn254 add"
    case .bn254Multiply: "bn254 multiply"
    case .bn254Pairing: "bn254 pairing"
    case .blake2F: "blake2f"
    case .pointEvaluation: "point evaluation"
    case .blsG1Add: "bls12381 g1 add"
    case .blsG1MSM: "bls12381 g1 msm"
    case .blsG2Add: "bls12381 g2 add"
    case .blsG2MSM: "bls12381 g2 msm"
    case .blsPairing: "bls12381 pairing"
    case .blsMapFpToG1: "bls12381 map to g1"
    case .blsMapFp2ToG2: "bls12381 map to g2"
    case .p256Verify: "p256 verify"
    case .halt: "halt"
    case .database: "database"
    case .senderRecovery: "sender recovery"
    case .transactionRoot: "transaction root"
    case .receiptRoot: "receipt root"
    case .trieRoot: "trie root"
    case .systemCall: "system call"
    case .upkeep: "upkeep"
    case .rerun: "rerun"
    case .profiler: "profiler"
    }
  }

  /// What a bucket is, for the glue-against-coprocessor bar.
  public enum Kind: String, Sendable {
    /// Control code, which nothing but a faster machine makes faster.
    case glue
    /// Heavy structured work, which a coprocessor can take.
    case coprocessor
    /// What every transaction pays for being one.
    case envelope
    /// The watching itself; no part of the work.
    case profiler
  }

  /// Whether the bucket is glue or a coprocessor's work.
  public var kind: Kind {
    switch self {
    case .glue, .halt, .upkeep, .rerun, .systemCall: .glue
    case .intrinsicBase, .intrinsicCalldata, .intrinsicLists, .calldataFloor: .envelope
    case .profiler: .profiler
    default: .coprocessor
    }
  }

  /// What `units` counts; `nil` where it counts nothing.
  public var unit: String? {
    switch self {
    case .intrinsicCalldata, .log, .hash, .ecRecover, .sha256, .ripemd160, .identity, .modExp,
      .bn254Add, .bn254Multiply, .bn254Pairing, .blake2F, .pointEvaluation, .blsG1Add, .blsG1MSM,
      .blsG2Add, .blsG2MSM, .blsPairing, .blsMapFpToG1, .blsMapFp2ToG2, .p256Verify:
      "bytes"
    case .senderRecovery: "signatures"
    case .transactionRoot: "transactions"
    case .receiptRoot: "receipts"
    case .trieRoot: "accounts"
    case .systemCall: "gas"
    default: nil
    }
  }
}
