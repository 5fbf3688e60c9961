import ArgumentParser
import Foundation

/// Folders that a command makes.
enum NewFolder {
  /// Makes a folder and those above it, where they are missing.
  static func make(_ path: String) throws {
    func fail(_ code: Int32) -> ValidationError {
      ValidationError("\(path): the folder can not be made: \(String(cString: strerror(code)))")
    }
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      made += part
      if mkdir(made, 0o777) != 0, errno != EEXIST { throw fail(errno) }
      made += "/"
    }
    var status = stat()
    guard stat(path, &status) == 0 else { throw fail(errno) }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw fail(ENOTDIR) }
  }
}
