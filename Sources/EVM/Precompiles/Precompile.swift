/// The precompiled contracts, by their addresses.
package enum Precompile: UInt16, BitwiseCopyable {
  case ecRecover = 0x01
  case sha256 = 0x02
  case ripemd160 = 0x03
  case identity = 0x04
  case modExp = 0x05
  case bn254Add = 0x06
  case bn254Multiply = 0x07
  case bn254Pairing = 0x08
  case blake2F = 0x09
  case pointEvaluation = 0x0a
  case blsG1Add = 0x0b
  case blsG1MSM = 0x0c
  case blsG2Add = 0x0d
  case blsG2MSM = 0x0e
  case blsPairing = 0x0f
  case blsMapFpToG1 = 0x10
  case blsMapFp2ToG2 = 0x11
  case p256Verify = 0x100

  /// The precompile at an address, if the fork has one there.
  @inline(__always)
  package init?(_ address: Address, _ fork: Fork) {
    if address.high != 0 || address.middle != 0 || address.low > 0x100 || address.low == 0 {
      return nil
    }
    self.init(low: UInt16(truncatingIfNeeded: address.low), fork)
  }

  @inline(never)
  private init?(low: UInt16, _ fork: Fork) {
    guard let precompile = Precompile(rawValue: low), fork >= precompile.since else { return nil }
    self = precompile
  }

  /// The first fork that has it.
  package var since: Fork {
    switch self {
    case .ecRecover, .sha256, .ripemd160, .identity: .frontier
    case .modExp, .bn254Add, .bn254Multiply, .bn254Pairing: .byzantium
    case .blake2F: .istanbul
    case .pointEvaluation: .cancun
    case .blsG1Add, .blsG1MSM, .blsG2Add, .blsG2MSM, .blsPairing, .blsMapFpToG1, .blsMapFp2ToG2:
      .prague
    case .p256Verify: .osaka
    }
  }

  /// Gas for an input.
  package func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 {
    switch self {
    case .ecRecover: ECRecoverPrecompile.gas(input: input, fork: fork)
    case .sha256: SHA256Precompile.gas(input: input, fork: fork)
    case .ripemd160: RIPEMD160Precompile.gas(input: input, fork: fork)
    case .identity: IdentityPrecompile.gas(input: input, fork: fork)
    case .modExp: ModExpPrecompile.gas(input: input, fork: fork)
    case .bn254Add: BN254AddPrecompile.gas(input: input, fork: fork)
    case .bn254Multiply: BN254MultiplyPrecompile.gas(input: input, fork: fork)
    case .bn254Pairing: BN254PairingPrecompile.gas(input: input, fork: fork)
    case .blake2F: BLAKE2FPrecompile.gas(input: input, fork: fork)
    case .pointEvaluation: PointEvaluationPrecompile.gas(input: input, fork: fork)
    case .blsG1Add: BLSG1AddPrecompile.gas(input: input, fork: fork)
    case .blsG1MSM: BLSG1MSMPrecompile.gas(input: input, fork: fork)
    case .blsG2Add: BLSG2AddPrecompile.gas(input: input, fork: fork)
    case .blsG2MSM: BLSG2MSMPrecompile.gas(input: input, fork: fork)
    case .blsPairing: BLSPairingPrecompile.gas(input: input, fork: fork)
    case .blsMapFpToG1: BLSMapFpToG1Precompile.gas(input: input, fork: fork)
    case .blsMapFp2ToG2: BLSMapFp2ToG2Precompile.gas(input: input, fork: fork)
    case .p256Verify: P256VerifyPrecompile.gas(input: input, fork: fork)
    }
  }

  /// Bytes of output that `run` may need room for.
  package func outputRoom(input: UnsafeBufferPointer<UInt8>) -> Int {
    switch self {
    case .identity: input.count &+ 256
    case .modExp: ModExpPrecompile.outputCount(input: input) &+ 256
    default: 256
    }
  }

  /// Runs one that needs neither curves nor big integers; `nil` for the others. A kernel without
  /// those is small, and quick to compile.
  @inline(__always)
  package func runLight(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome? {
    switch self {
    case .sha256:
      SHA256Precompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    case .ripemd160:
      RIPEMD160Precompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    case .identity:
      IdentityPrecompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    case .blake2F:
      BLAKE2FPrecompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    default: nil
    }
  }

  /// Runs one of those of BLS12-381 (EIP-2537); `nil` for the others.
  @inline(__always)
  package func runBLS12381(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome? {
    switch self {
    case .blsG1Add:
      BLSG1AddPrecompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    case .blsG1MSM:
      BLSG1MSMPrecompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    case .blsG2Add:
      BLSG2AddPrecompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    case .blsG2MSM:
      BLSG2MSMPrecompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    case .blsPairing:
      BLSPairingPrecompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    case .blsMapFpToG1:
      BLSMapFpToG1Precompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    case .blsMapFp2ToG2:
      BLSMapFp2ToG2Precompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    default: nil
    }
  }

  /// Runs it on an input that is paid for. One copy: it is most of the machine's code.
  @inline(never)
  package func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome {
    switch self {
    case .ecRecover:
      ECRecoverPrecompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    case .modExp:
      ModExpPrecompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    case .bn254Add:
      BN254AddPrecompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    case .bn254Multiply:
      BN254MultiplyPrecompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    case .bn254Pairing:
      BN254PairingPrecompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    case .pointEvaluation:
      PointEvaluationPrecompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    case .blsG1Add, .blsG1MSM, .blsG2Add, .blsG2MSM, .blsPairing, .blsMapFpToG1, .blsMapFp2ToG2:
      runBLS12381(input: input, output: output, fork: fork, scratch: &scratch) ?? .failure
    case .p256Verify:
      P256VerifyPrecompile.run(input: input, output: output, fork: fork, scratch: &scratch)
    case .sha256, .ripemd160, .identity, .blake2F:
      runLight(input: input, output: output, fork: fork, scratch: &scratch) ?? .failure
    }
  }
}
