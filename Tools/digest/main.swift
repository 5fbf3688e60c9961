// The digest of some files, as Swift source:
//
//     SourceDigest ROOT OUTPUT PATH...    the paths from ROOT on
//
// Tools/kernels/source_digest.py gives the same digest for the same files: FNV-1a of 128 bits over the length and bytes of each name and of each content, by name. It tells versions of
// our own files apart; it is no protection against somebody who wants two to be the same.
import Foundation

/// FNV-1a of 128 bits (draft-eastlake-fnv).
struct FNV1a {
  private(set) var value: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d

  mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes {
      value = (value ^ UInt128(byte)) &* 0x0000_0000_0100_0000_0000_0000_0000_013b
    }
  }
}

let arguments = CommandLine.arguments
guard arguments.count > 3 else {
  FileHandle.standardError.write(Data("usage: SourceDigest ROOT OUTPUT PATH...\n".utf8))
  exit(2)
}
/// The digest of files that `isWanted` takes by their paths, in hexadecimal.
func digest(_ isWanted: (String) -> Bool) throws -> String {
  var hash = FNV1a()
  for path in arguments[3...].filter(isWanted).sorted(by: {
    $0.utf8.lexicographicallyPrecedes($1.utf8)
  }) {
    let content = try Data(contentsOf: URL(fileURLWithPath: arguments[1] + "/" + path))
    hash.add("\(path.utf8.count):\(path)\(content.count):".utf8)
    hash.add(content)
  }
  let digits = String(hash.value, radix: 16)
  return String(repeating: "0", count: 32 - digits.count) + digits
}

// The groups of modules, in the file's order, each with the beginnings of its paths and of those left out.
var groups: [(name: String, wanted: [String], leftOut: [String])] = []
let lines = try String(
  contentsOf: URL(fileURLWithPath: arguments[1] + "/Tools/kernels/groups.txt"), encoding: .utf8)
for line in lines.split(separator: "\n") where !line.hasPrefix("#") {
  let words = line.split(separator: " ")
  let name = String(words[0])
  if groups.last?.name != name { groups.append((name, [], [])) }
  let path = String(words[1])
  if path.hasPrefix("-") {
    groups[groups.count - 1].leftOut.append(String(path.dropFirst()))
  } else {
    groups[groups.count - 1].wanted.append(path)
  }
}

var text = """
  /// The sources of the kernels that this program was built from.
  enum KernelSources {

  """
for group in groups {
  let value = try digest { path in
    group.leftOut.isEmpty
      ? group.wanted.contains { path.hasPrefix($0) }
      : !group.leftOut.contains { path.hasPrefix($0) }
  }
  text += """
      /// The digest of those of \(group.name), as `Tools/kernels/source_digest.py` prints it.
      static let \(group.name) = "\(value)"

    """
}
text += "}\n"
try text.write(toFile: arguments[2], atomically: true, encoding: .utf8)
