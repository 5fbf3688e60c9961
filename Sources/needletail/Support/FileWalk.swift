import ArgumentParser
import Foundation

/// Finds test files.
enum FileWalk {
  /// The JSON files at and below some paths, sorted by path.
  static func jsonFiles(_ paths: [String]) throws -> [String] {
    var files: [String] = []
    for path in paths {
      var isDirectory: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
        throw ValidationError("\(path): no such file or folder")
      }
      if !isDirectory.boolValue {
        files.append(path)
        continue
      }
      var found: [String] = []
      if let enumerator = FileManager.default.enumerator(atPath: path) {
        for case let name as String in enumerator where name.hasSuffix(".json") {
          found.append(path + (path.hasSuffix("/") ? "" : "/") + name)
        }
      }
      if found.isEmpty { throw ValidationError("\(path): no .json files in this folder") }
      files.append(contentsOf: found.sorted())
    }
    return files
  }
}
