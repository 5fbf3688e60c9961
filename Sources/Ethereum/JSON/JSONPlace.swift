/// Where an offset of a JSON text is: its line, its column and the keys that lead to it.
struct JSONPlace {
  /// Lines from 1.
  var line = 1
  /// Bytes from 1.
  var column = 1
  /// Keys and indexes, such as `pre.0x12.storage` or `blocks[2].rlp`.
  var path = ""

  private struct Level {
    var isObject: Bool
    var key = ""
    var index = 0
  }

  /// Reads the text up to `offset`, taking it as it comes: it may be malformed beyond that.
  /// `namesContainer` leaves out the last key or index: the place is the end of that container.
  init(bytes: UnsafePointer<UInt8>, count: Int, offset: Int, namesContainer: Bool = false) {
    var levels: [Level] = []
    var position = 0
    var lastLine = 0
    let end = min(offset, count)
    while position < end {
      let byte = bytes[position]
      switch byte {
      case UInt8(ascii: "\n"):
        line += 1
        lastLine = position + 1
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        levels.append(Level(isObject: byte == UInt8(ascii: "{")))
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        // The error stands at the end of what was just left: keep its path when nothing follows.
        if namesContainer || position + 1 < end { _ = levels.popLast() }
      case UInt8(ascii: ","):
        if let last = levels.indices.last { levels[last].index += 1 }
      case UInt8(ascii: "\""):
        let start = position + 1
        position += 1
        while position < end, bytes[position] != UInt8(ascii: "\"") {
          position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        var next = position + 1
        while next < count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[next]) { next += 1 }
        if next < count, bytes[next] == UInt8(ascii: ":"), position < count,
          let last = levels.indices.last, levels[last].isObject
        {
          let length = max(0, min(position, count) - start)
          levels[last].key = String(
            decoding: UnsafeBufferPointer(start: bytes + start, count: min(length, 80)),
            as: UTF8.self)
        }
      default: break
      }
      position += 1
    }
    column = end - lastLine + 1
    if namesContainer { _ = levels.popLast() }
    for level in levels {
      if level.isObject {
        if level.key.isEmpty { continue }
        if !path.isEmpty { path += "." }
        path += level.key
      } else {
        path += "[\(level.index)]"
      }
    }
  }
}
