extension Precompile {
  /// Whether `runLight` does it: each machine has it.
  package var isLight: Bool {
    switch self {
    case .sha256, .ripemd160, .identity, .blake2F: true
    default: false
    }
  }
}
