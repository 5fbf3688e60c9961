import Foundation

/// The public test suites: the folder that `NEEDLETAIL_FIXTURES` names, else `.fixtures` in the
/// checkout.
enum FixtureFolder {
  static let path: String? = {
    let named = ProcessInfo.processInfo.environment["NEEDLETAIL_FIXTURES"]
    let folder = named ?? checkout + "/.fixtures"
    return FileManager.default.fileExists(atPath: folder) ? folder : nil
  }()

  /// The checkout's folder.
  static let checkout = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  static var isMissing: Bool { path == nil }

  static let reason = "no fixtures: set NEEDLETAIL_FIXTURES, or run make fixtures"

  /// The JSON files below a folder of the fixtures, in order. Links are followed.
  static func files(_ folder: String) -> [String] {
    guard let path else { return [] }
    let root = URL(fileURLWithPath: path).appendingPathComponent(folder).resolvingSymlinksInPath()
    let names = FileManager.default.enumerator(atPath: root.path)
    var files: [String] = []
    while let name = names?.nextObject() as? String {
      if name.hasSuffix(".json") { files.append(root.path + "/" + name) }
    }
    return files.sorted()
  }

  /// The names in a folder of the fixtures.
  static func names(_ folder: String) -> [String] {
    guard let path else { return [] }
    return ((try? FileManager.default.contentsOfDirectory(atPath: path + "/" + folder)) ?? [])
      .sorted()
  }
}
