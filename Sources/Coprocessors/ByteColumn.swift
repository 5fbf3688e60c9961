/// Byte strings of any lengths, one after the other in one buffer: a batch's requests or its results.
public struct ByteColumn: Hashable, Sendable {
  /// All rows' bytes.
  public private(set) var bytes: [UInt8] = []
  /// Where each row ends in `bytes`; it begins where the one before ends.
  public private(set) var ends: [Int] = []

  /// A column without rows.
  public init(rows: Int = 0, bytes: Int = 0) {
    ends.reserveCapacity(rows)
    self.bytes.reserveCapacity(bytes)
  }

  /// A column of these rows.
  public init(_ rows: some Sequence<[UInt8]>) {
    for row in rows { append(row) }
  }

  /// A column of rows of the same size: `write` gets a row and its memory, all of which it sets.
  init(rows: Int, width: Int, _ write: (Int, UnsafeMutablePointer<UInt8>) -> Void) {
    bytes = Array(unsafeUninitializedCapacity: rows * width) { buffer, count in
      if let base = buffer.baseAddress {
        for row in 0..<rows { write(row, base + row * width) }
      }
      count = rows * width
    }
    ends = (0..<rows).map { ($0 + 1) * width }
  }

  /// A column of rows of the same size in one buffer.
  package init(width: Int, bytes: [UInt8]) {
    precondition(width > 0 && bytes.count % width == 0, "rows of the same size fill the buffer")
    self.bytes = bytes
    ends = Array(unsafeUninitializedCapacity: bytes.count / width) { ends, count in
      count = bytes.count / width
      for row in 0..<count { ends[row] = (row + 1) * width }
    }
  }

  /// A column of rows that end at these places in a buffer.
  package init(bytes: [UInt8], ends: [Int]) {
    precondition((ends.last ?? 0) == bytes.count, "rows fill the buffer")
    self.bytes = bytes
    self.ends = ends
  }

  /// How many rows there are.
  public var count: Int { ends.count }

  /// Where a row lies in `bytes`.
  public func range(_ row: Int) -> Range<Int> { (row == 0 ? 0 : ends[row - 1])..<ends[row] }

  /// A row.
  public subscript(row: Int) -> [UInt8] { [UInt8](bytes[range(row)]) }

  /// The rows of several columns, copied by several threads.
  init(joining parts: [ByteColumn], workers: Int) {
    var firsts: [(row: Int, byte: Int)] = []
    var rows = 0
    var count = 0
    for part in parts {
      firsts.append((rows, count))
      rows += part.count
      count += part.bytes.count
    }
    let starts = firsts
    bytes = Array(unsafeUninitializedCapacity: count) { target, filled in
      let base = Place(target.baseAddress)
      Workers.run(parts.count, on: workers) { index in
        parts[index].bytes.withUnsafeBufferPointer { source in
          if let from = source.baseAddress, let to = base.pointer {
            (to + starts[index].byte).initialize(from: from, count: source.count)
          }
        }
      }
      filled = count
    }
    ends = Array(unsafeUninitializedCapacity: rows) { target, filled in
      let base = Place(target.baseAddress)
      Workers.run(parts.count, on: workers) { index in
        guard let to = base.pointer else { return }
        let (row, byte) = starts[index]
        let part = parts[index].ends
        for offset in part.indices { (to + row + offset).initialize(to: part[offset] + byte) }
      }
      filled = rows
    }
  }

  /// Memory that threads write different parts of.
  private struct Place<Element>: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Element>?
    init(_ pointer: UnsafeMutablePointer<Element>?) { self.pointer = pointer }
  }

  /// Adds a row.
  public mutating func append(_ row: some Sequence<UInt8>) {
    bytes.append(contentsOf: row)
    ends.append(bytes.count)
  }

  /// Adds all rows of another column.
  public mutating func append(contentsOf other: ByteColumn) {
    let start = bytes.count
    bytes.append(contentsOf: other.bytes)
    ends.append(contentsOf: other.ends.lazy.map { $0 + start })
  }

  /// Some of the rows.
  public func rows(_ rows: Range<Int>) -> ByteColumn {
    var part = ByteColumn()
    guard !rows.isEmpty else { return part }
    let start = range(rows.lowerBound).lowerBound
    part.bytes = [UInt8](bytes[start..<ends[rows.upperBound - 1]])
    part.ends = ends[rows].map { $0 - start }
    return part
  }

  /// Calls `body` with the memory of a row, which lives until it returns.
  @inline(__always)
  package func withRow<Result>(_ row: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result
  {
    let range = range(row)
    return bytes.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
  }
}

/// What came of a batch, row by row.
public struct CoprocessorResults: Hashable, Sendable {
  /// The outputs; empty where the request was refused.
  public private(set) var outputs: ByteColumn
  /// Whether each request was done.
  public private(set) var isDone: [Bool] = []

  /// Results of no rows, with room for some.
  public init(rows: Int = 0, bytes: Int = 0) {
    outputs = ByteColumn(rows: rows, bytes: bytes)
    isDone.reserveCapacity(rows)
  }

  /// Results of the same size, all of them done: `write` gets a row and the memory of its output.
  init(rows: Int, width: Int, _ write: (Int, UnsafeMutablePointer<UInt8>) -> Void) {
    outputs = ByteColumn(rows: rows, width: width, write)
    isDone = Array(repeating: true, count: rows)
  }

  /// Results of the same size in one buffer, all of them done.
  package init(width: Int, bytes: [UInt8]) {
    outputs = ByteColumn(width: width, bytes: bytes)
    isDone = Array(repeating: true, count: outputs.count)
  }

  /// The rows of several results, copied by several threads.
  init(joining parts: [CoprocessorResults], workers: Int) {
    outputs = ByteColumn(joining: parts.map(\.outputs), workers: workers)
    isDone.reserveCapacity(outputs.count)
    for part in parts { isDone.append(contentsOf: part.isDone) }
  }

  /// How many rows there are.
  public var count: Int { isDone.count }

  /// A row's output; `nil` where the request was refused.
  public subscript(row: Int) -> [UInt8]? { isDone[row] ? outputs[row] : nil }

  /// Adds a row: an output, or `nil` where the request was refused.
  public mutating func append(_ output: (some Sequence<UInt8>)?) {
    if let output { outputs.append(output) } else { outputs.append(EmptyCollection()) }
    isDone.append(output != nil)
  }

  /// Some of the rows.
  public func rows(_ rows: Range<Int>) -> CoprocessorResults {
    var part = CoprocessorResults()
    part.outputs = outputs.rows(rows)
    part.isDone = [Bool](isDone[rows])
    return part
  }

  /// The first row in which two results differ; `nil` when they are equal.
  public func firstDifference(_ other: CoprocessorResults) -> Int? {
    if self == other { return nil }
    return (0..<min(count, other.count)).first { self[$0] != other[$0] } ?? min(count, other.count)
  }
}
