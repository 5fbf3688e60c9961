/// A way to do a coprocessor's batches.
///
/// A back end is chosen for whole batches. When it throws, nothing of the batch counts, and the
/// batch is done by the CPU.
public protocol CoprocessorBackEnd: Sendable {
  /// Its name: `cpu`, `gpu`, or a name with the device's number.
  var name: String { get }
  /// The coprocessor whose work it does, by name.
  var coprocessor: String { get }
  /// Does a batch; as many results as requests.
  func run(_ requests: ByteColumn) throws(CoprocessorError) -> CoprocessorResults
}

/// Why a batch, or a back end, came to nothing.
public struct CoprocessorError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of fault it is.
  public enum Code: String, Sendable {
    /// The device is gone: no later batch will work either.
    case deviceLost
    /// The device has not enough memory for the batch.
    case memoryExhausted
    /// The back end is not right and is not used.
    case refused
    /// The user took the batch back.
    case cancelled
    /// A request is larger than the coprocessor takes.
    case requestTooLarge
    /// There is no coprocessor of the name.
    case unknownCoprocessor
    /// The queue is closed.
    case closed
    /// A calibration file can not be read or written.
    case calibration
  }

  /// What kind of fault it is.
  public var code: Code
  /// What to tell the user.
  public var message: String

  /// An error from its parts.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
