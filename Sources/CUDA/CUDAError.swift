/// What went wrong between this program and the CUDA driver.
///
/// `description` is one line that says what failed and what to do.
package struct CUDAError: Error, Hashable, Sendable {
  /// What kind of thing is wrong; the words of `reason` may change, this does not.
  package enum Code: String, Hashable, Sendable {
    /// The driver's library is not on this machine or can not be opened.
    case noLibrary
    /// The driver lacks a function that is needed, or speaks an older version than is needed.
    case driverTooOld
    /// The driver is there, but no device answers.
    case noDevice
    /// A device number beyond the last.
    case unknownDevice
    /// Bytes that are neither PTX nor a whole machine code image.
    case malformedImage
    /// A call of the driver gave the error `status`.
    case callFailed
  }

  /// What kind of thing is wrong.
  package var code: Code
  /// The driver's function, such as `cuLaunchKernel`; empty when none was called.
  package var call: String
  /// The driver's result, a `CUresult`; 0 when no call failed.
  package var status: Int32
  /// What is wrong, in words.
  package var reason: String

  /// An error of these values.
  package init(_ code: Code, _ reason: String, call: String = "", status: Int32 = 0) {
    self.code = code
    self.call = call
    self.status = status
    self.reason = reason
  }

  /// Whether the device's memory did not suffice: the caller can ask for less.
  package var isOutOfMemory: Bool { status == Status.outOfMemory }

  /// Whether the context is lost: every later call in it fails with the same error, and only a new
  /// process can use the device again. A kernel read or wrote where nothing is, or trapped.
  package var losesContext: Bool { Status.fatal.contains(status) }

  /// The same error with a sentence added to the reason.
  package func adding(_ sentence: String) -> CUDAError {
    var copy = self
    copy.reason += sentence
    return copy
  }
}

extension CUDAError: CustomStringConvertible {
  /// `CUDA: call: reason`.
  package var description: String { "CUDA: " + (call.isEmpty ? reason : "\(call): \(reason)") }
}

/// Values of the driver's `CUresult` that decide something here (CUDA driver API, section 6.1).
enum Status {
  static let success: Int32 = 0
  static let outOfMemory: Int32 = 2
  static let noDevice: Int32 = 100
  static let notReady: Int32 = 600
  /// An illegal address, a launch timeout, an assertion, a hardware stack error, an illegal
  /// instruction, a misaligned address, an invalid address space, an invalid program counter, a
  /// launch failure, and an uncorrectable memory error.
  static let fatal: Set<Int32> = [214, 700, 702, 710, 714, 715, 716, 717, 718, 719]
}
