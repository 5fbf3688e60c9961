/// Why there are no kernels to run: what is wrong, and what to do.
package struct KernelImageError: Error, Hashable, Sendable {
  /// What kind of thing is wrong; the words of `reason` may change, this does not.
  package enum Code: String, Hashable, Sendable {
    /// The program was built without an image.
    case noImage
    /// The file that NEEDLETAIL_KERNEL_IMAGE names can not be read.
    case unreadableFile
    /// Bytes that do not say which kernels they are.
    case noLabel
    /// The image was made from other sources than the program.
    case stale
    /// The image is for other devices.
    case unsuitableDevice
    /// The driver is older than the image.
    case driverTooOld
  }

  /// What kind of thing is wrong.
  package var code: Code
  /// What is wrong, in words.
  package var reason: String

  /// An error of these values.
  package init(_ code: Code, _ reason: String) {
    self.code = code
    self.reason = reason
  }
}

extension KernelImageError: CustomStringConvertible {
  /// `kernels: reason`.
  package var description: String { "kernels: \(reason)" }
}
