/// GMP's powers modulo a number.
struct GMPPeer {
  /// The head of GMP's `mpz_t`.
  private struct Integer {
    var allocated: Int32 = 0
    var size: Int32 = 0
    var limbs: UnsafeMutableRawPointer?
  }

  private typealias Pointer = UnsafeMutableRawPointer
  private let initialize: @convention(c) (UnsafeMutableRawPointer) -> Void
  private let importBytes:
    @convention(c) (
      UnsafeMutableRawPointer, Int, Int32, Int, Int32, Int, UnsafeRawPointer
    ) -> Void
  private let exportBytes:
    @convention(c) (
      UnsafeMutableRawPointer, UnsafeMutablePointer<Int>, Int32, Int, Int32, Int,
      UnsafeRawPointer
    ) -> UnsafeMutableRawPointer?
  private let power:
    @convention(c) (
      UnsafeMutableRawPointer, UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer
    ) -> Void

  init?() {
    guard let library = DynamicLibrary(["libgmp.so.10", "libgmp.so"]),
      let initialize = library.function(
        "__gmpz_init", as: (@convention(c) (UnsafeMutableRawPointer) -> Void).self),
      let importBytes = library.function(
        "__gmpz_import",
        as: (@convention(c) (
          UnsafeMutableRawPointer, Int, Int32, Int, Int32, Int, UnsafeRawPointer
        ) -> Void).self),
      let exportBytes = library.function(
        "__gmpz_export",
        as: (@convention(c) (
          UnsafeMutableRawPointer, UnsafeMutablePointer<Int>, Int32, Int, Int32, Int,
          UnsafeRawPointer
        ) -> UnsafeMutableRawPointer?).self),
      let power = library.function(
        "__gmpz_powm",
        as: (@convention(c) (
          UnsafeMutableRawPointer, UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer
        ) -> Void).self)
    else { return nil }
    self.initialize = initialize
    self.importBytes = importBytes
    self.exportBytes = exportBytes
    self.power = power
  }

  /// `base ^ exponent` modulo `modulus`, big-endian, as long as the modulus.
  func modularPower(_ base: [UInt8], _ exponent: [UInt8], _ modulus: [UInt8]) -> CryptoPeer {
    // The numbers live as long as the program.
    let numbers = UnsafeMutablePointer<Integer>.allocate(capacity: 4)
    numbers.initialize(repeating: Integer(), count: 4)
    for index in 0..<4 { initialize(numbers + index) }
    for (index, bytes) in [base, exponent, modulus].enumerated() {
      bytes.withUnsafeBytes { importBytes(numbers + index, $0.count, 1, 1, 1, 0, $0.baseAddress!) }
    }
    let result = numbers + 3
    let power = { (count: Int) in
      for _ in 0..<count { self.power(result, numbers, numbers + 1, numbers + 2) }
    }
    return .present(
      library: "GMP",
      output: {
        power(1)
        var bytes = [UInt8](repeating: 0, count: modulus.count)
        var count = 0
        bytes.withUnsafeMutableBytes {
          _ = exportBytes($0.baseAddress!, &count, 1, 1, 1, 0, result)
        }
        return [UInt8](repeating: 0, count: modulus.count - count) + bytes.prefix(count)
      },
      work: power)
  }
}
