/// A case of a test file: what stands under one name of the file's outer object.
public protocol FixtureCase: Sendable {
  /// What its reader may leave out.
  associatedtype Options: Sendable = Void

  /// Reads the case whose value comes next.
  static func read(
    name: String, from cursor: inout FixtureCursor, options: Options
  ) throws(FormatError) -> Self
}

/// The reader's place in a test file, as `FixtureCase` gets it.
public struct FixtureCursor {
  package var json: JSONCursor
}

/// Reads the cases of a test file one at a time, so that only one is in memory besides the file's
/// mapping.
///
/// ```swift
/// var reader = try FixtureReader<StateTest>(path: "test.json")
/// while let test = try reader.next() { run(test) }
/// ```
public struct FixtureReader<Case: FixtureCase>: ~Copyable {
  private let file: FileBytes
  private let options: Case.Options
  private var cursor: FixtureCursor
  private var isStarted = false
  private var isFinished = false

  /// A reader of a file.
  public init(path: String, options: Case.Options) throws(FormatError) {
    self.init(try FileBytes(path: path), options: options)
  }

  /// A reader of a file that is open already.
  public init(_ file: consuming FileBytes, options: Case.Options) {
    self.options = options
    cursor = FixtureCursor(json: JSONCursor(file.buffer))
    self.file = file
  }

  /// The next case; `nil` at the end. After an error, nothing more comes.
  public mutating func next() throws(FormatError) -> Case? {
    if isFinished { return nil }
    do throws(FormatError) {
      if !isStarted {
        try cursor.json.beginObject()
        isStarted = true
      }
      guard let key = try cursor.json.nextKey() else {
        isFinished = true
        try cursor.json.finish()
        return nil
      }
      return try Case.read(name: key.text, from: &cursor, options: options)
    } catch {
      isFinished = true
      throw error.inFile(file.path)
    }
  }
}

extension FixtureReader where Case.Options == Void {
  /// A reader of a file.
  public init(path: String) throws(FormatError) {
    try self.init(path: path, options: ())
  }

  /// A reader of a file that is open already.
  public init(_ file: consuming FileBytes) {
    self.init(file, options: ())
  }
}

extension FixtureCase {
  /// All cases of a file.
  public static func cases(path: String, options: Options) throws(FormatError) -> [Self] {
    var reader = try FixtureReader<Self>(path: path, options: options)
    var cases: [Self] = []
    while let next = try reader.next() { cases.append(next) }
    return cases
  }
}

extension FixtureCase where Options == Void {
  /// All cases of a file.
  public static func cases(path: String) throws(FormatError) -> [Self] {
    try cases(path: path, options: ())
  }
}
