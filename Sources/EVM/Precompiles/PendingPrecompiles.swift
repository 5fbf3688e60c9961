// Placeholders until each precompile lands. Whoever implements one deletes its placeholder here
// (a "redeclaration" error says so); the last one deletes the file.

enum PointEvaluationPrecompile {
  static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 { 3000 }
  static func outputCount(input: UnsafeBufferPointer<UInt8>) -> Int { 0 }
  static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome { .failure }
}

enum BLSG1AddPrecompile {
  static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 { 3000 }
  static func outputCount(input: UnsafeBufferPointer<UInt8>) -> Int { 0 }
  static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome { .failure }
}

enum BLSG1MSMPrecompile {
  static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 { 3000 }
  static func outputCount(input: UnsafeBufferPointer<UInt8>) -> Int { 0 }
  static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome { .failure }
}

enum BLSG2AddPrecompile {
  static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 { 3000 }
  static func outputCount(input: UnsafeBufferPointer<UInt8>) -> Int { 0 }
  static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome { .failure }
}

enum BLSG2MSMPrecompile {
  static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 { 3000 }
  static func outputCount(input: UnsafeBufferPointer<UInt8>) -> Int { 0 }
  static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome { .failure }
}

enum BLSPairingPrecompile {
  static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 { 3000 }
  static func outputCount(input: UnsafeBufferPointer<UInt8>) -> Int { 0 }
  static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome { .failure }
}

enum BLSMapFpToG1Precompile {
  static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 { 3000 }
  static func outputCount(input: UnsafeBufferPointer<UInt8>) -> Int { 0 }
  static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome { .failure }
}

enum BLSMapFp2ToG2Precompile {
  static func gas(input: UnsafeBufferPointer<UInt8>, fork: Fork) -> Int64 { 3000 }
  static func outputCount(input: UnsafeBufferPointer<UInt8>) -> Int { 0 }
  static func run(
    input: UnsafeBufferPointer<UInt8>, output: UnsafeMutablePointer<UInt8>, fork: Fork,
    scratch: inout Arena
  ) -> PrecompileOutcome { .failure }
}
