public import EVM

extension Keccak256 {
  /// The hash of the bytes of an array.
  public static func hash(_ bytes: [UInt8]) -> Hash256 {
    bytes.withUnsafeBufferPointer { hash($0) }
  }
}
