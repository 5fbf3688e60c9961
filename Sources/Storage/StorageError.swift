/// What is wrong with a database, a block log or what was asked of them.
public struct StorageError: Error, Sendable, CustomStringConvertible {
  /// What kind of fault it is.
  public enum Code: String, Sendable {
    /// Another process, or this one, has the folder open.
    case inUse
    /// The folder or a file can not be read or written.
    case unreadable
    /// The database was written by another version of the schema.
    case schema
    /// What is stored contradicts itself.
    case corrupt
    /// No space is left.
    case full
    /// The block does not follow the head.
    case notNext
    /// What was asked for is not stored (any more).
    case unavailable
  }

  /// What kind of fault it is.
  public var code: Code
  /// What is wrong and what to do about it.
  public var message: String

  /// An error from its parts.
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
