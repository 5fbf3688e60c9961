package import EVM

/// A precompile as a coprocessor: what a call gives it in, what it returns out, under the rules of
/// the latest fork. A call that fails is a request that is refused.
public struct PrecompileCoprocessor: Coprocessor {
  public let name: String
  public let knownAnswers: [KnownAnswer]
  public let requestLimit = Self.limit

  /// No gas limit pays for more.
  private static var limit: Int { 1 << 24 }

  private let precompile: Precompile

  private init(_ name: String, _ precompile: Precompile, _ knownAnswers: [KnownAnswer]) {
    self.name = name
    self.precompile = precompile
    self.knownAnswers = knownAnswers
  }

  /// The precompiles that blocks spend much time in.
  public static let all: [any Coprocessor] = [
    PrecompileCoprocessor("sha256", .sha256, KnownAnswers.sha256),
    PrecompileCoprocessor("modexp", .modExp, KnownAnswers.modexp),
    PrecompileCoprocessor("bn254Add", .bn254Add, KnownAnswers.bn254Add),
    PrecompileCoprocessor("bn254Multiply", .bn254Multiply, KnownAnswers.bn254Multiply),
    PrecompileCoprocessor("bn254Pairing", .bn254Pairing, KnownAnswers.bn254Pairing),
    PrecompileCoprocessor("bls12381G1Add", .blsG1Add, KnownAnswers.bls12381G1Add),
    PrecompileCoprocessor("bls12381G1MSM", .blsG1MSM, KnownAnswers.bls12381G1MSM),
    PrecompileCoprocessor("bls12381G2Add", .blsG2Add, KnownAnswers.bls12381G2Add),
    PrecompileCoprocessor("bls12381G2MSM", .blsG2MSM, KnownAnswers.bls12381G2MSM),
    PrecompileCoprocessor("bls12381Pairing", .blsPairing, KnownAnswers.bls12381Pairing),
    PrecompileCoprocessor("bls12381MapFpToG1", .blsMapFpToG1, KnownAnswers.bls12381MapFpToG1),
    PrecompileCoprocessor("bls12381MapFp2ToG2", .blsMapFp2ToG2, KnownAnswers.bls12381MapFp2ToG2),
    PrecompileCoprocessor("pointEvaluation", .pointEvaluation, KnownAnswers.pointEvaluation),
    PrecompileCoprocessor("p256Verify", .p256Verify, KnownAnswers.p256Verify),
  ]

  public var precompileAddress: UInt16? { precompile.rawValue }

  /// The fork whose rules hold.
  package static var rules: Fork { .osaka }

  public func gas(_ request: UnsafeBufferPointer<UInt8>) -> Int64? {
    precompile.gas(input: request, fork: Self.rules)
  }

  public func reference(_ request: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    Self.reference(precompile, request, fork: Self.rules)
  }

  /// What a call of a precompile returns under a fork's rules; `nil` where it fails.
  package static func reference(
    _ precompile: Precompile, _ request: UnsafeBufferPointer<UInt8>, fork: Fork
  ) -> [UInt8]? {
    let room = precompile.outputRoom(input: request)
    // The lengths that a modular power names may be larger than anything that runs.
    guard room <= Self.limit else { return nil }
    let output = UnsafeMutablePointer<UInt8>.allocate(capacity: room)
    defer { output.deallocate() }
    var capacity = 1 << 16
    while true {
      let memory = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
      defer { memory.deallocate() }
      var scratch = Arena(base: memory, capacity: capacity)
      switch precompile.run(input: request, output: output, fork: fork, scratch: &scratch) {
      case .success(let count): return [UInt8](UnsafeBufferPointer(start: output, count: count))
      case .failure: return nil
      case .workspaceExhausted: capacity *= 4
      }
    }
  }

  /// The known answers that are not refused, over and over.
  public func typicalRequests(_ count: Int, seed: UInt64) -> ByteColumn {
    let valid = knownAnswers.filter { $0.result != nil && !$0.request.isEmpty }
    let first = Int(seed % UInt64(valid.count))
    return ByteColumn((0..<count).map { valid[(first + $0) % valid.count].request })
  }

  /// The known answers' requests, each with its last byte missing, one more, and all bits set.
  public var edgeRequests: ByteColumn {
    var requests = ByteColumn()
    requests.append([])
    for answer in knownAnswers {
      requests.append(answer.request)
      requests.append(answer.request.dropLast())
      requests.append(answer.request + [0])
      if precompile != .modExp {
        requests.append([UInt8](repeating: 0xFF, count: answer.request.count))
      }
    }
    return requests
  }
}
