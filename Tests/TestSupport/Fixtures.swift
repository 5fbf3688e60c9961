package import Foundation
package import Testing

/// The public test data: in the folder that `NEEDLETAIL_FIXTURES` names, else in `.fixtures` of the
/// checkout.
package enum Fixtures {
  /// The folder, whether or not it exists.
  package static let folder: URL = {
    if let path = ProcessInfo.processInfo.environment["NEEDLETAIL_FIXTURES"], !path.isEmpty {
      return URL(fileURLWithPath: path, isDirectory: true)
    }
    return checkout.appendingPathComponent(".fixtures", isDirectory: true)
  }()

  /// The checkout's folder.
  package static let checkout = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Why a test that reads fixtures is not run.
  package static let missing: Comment =
    "no fixtures: set NEEDLETAIL_FIXTURES or run make fixtures (README.md says where they come from)"

  /// Whether a file or folder of the fixtures is there.
  package static func has(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent(path).path)
  }

  /// The JSON files below a folder of the fixtures, sorted.
  package static func files(_ path: String) -> [String] {
    // The enumerator does not follow a link to a folder: resolve it first.
    let root = folder.appendingPathComponent(path).resolvingSymlinksInPath().path
    var files: [String] = []
    for case let name as String in FileManager.default.enumerator(atPath: root) ?? .init()
    where name.hasSuffix(".json") {
      files.append("\(root)/\(name)")
    }
    return files.sorted()
  }

  /// The names in a folder of the fixtures, sorted.
  package static func names(_ path: String) -> [String] {
    let folder = folder.appendingPathComponent(path).path
    return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }
}
