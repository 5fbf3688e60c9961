import Foundation
import PackagePlugin

/// Writes a Swift file with the digest of all sources that decide the kernels' PTX, each time one of
/// them changes: so a program knows which kernel image was made from the same sources as itself.
@main
struct KernelSources: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let root = context.package.directoryURL
    // The same files as in Tools/kernels/source_digest.py, which tells those of coprocessors apart as
    // the tool does.
    let paths =
      try files(under: "Sources/EVM", of: root, endings: [".swift"])
      + files(under: "Sources/Kernels", of: root, endings: [".swift", ".h", ".modulemap"])
      + files(under: "Tools/kernels", of: root, endings: [".py", ".txt"])
    let output = context.pluginWorkDirectoryURL.appending(path: "KernelSources.swift")
    return [
      .buildCommand(
        displayName: "Digest of the kernels' sources",
        executable: try context.tool(named: "SourceDigest").url,
        arguments: [root.path(percentEncoded: false), output.path(percentEncoded: false)] + paths,
        inputFiles: paths.map { root.appending(path: $0) }, outputFiles: [output])
    ]
  }

  /// The files of a folder and those below it, as paths from `root` on.
  private func files(
    under folder: String, of root: URL, endings: [String]
  ) throws -> [String] {
    let url = root.appending(path: folder)
    return try FileManager.default.subpathsOfDirectory(atPath: url.path(percentEncoded: false))
      .filter { path in endings.contains { path.hasSuffix($0) } }
      .map { folder + "/" + $0 }
  }
}
