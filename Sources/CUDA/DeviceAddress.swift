/// An address in a device's memory: a number to the host, which must not follow it.
package struct DeviceAddress: Hashable, Sendable, BitwiseCopyable, RawRepresentable {
  /// The address; 0 is nowhere.
  package var rawValue: UInt64

  /// An address.
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The address `bytes` bytes further.
  package func advanced(by bytes: Int) -> DeviceAddress {
    DeviceAddress(rawValue: rawValue &+ UInt64(bitPattern: Int64(bytes)))
  }

  /// The address as a pointer, for the argument structs that host and device share. The host must
  /// not follow it.
  package var pointer: UnsafeMutableRawPointer? {
    UnsafeMutableRawPointer(bitPattern: UInt(rawValue))
  }
}
