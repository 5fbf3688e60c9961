import Ethereum
import Foundation

/// Where the cases come from.
enum EVMSuite {
  /// All cases of the public benchmarks in a folder of fixtures.
  static func cases(fixtures: String) throws(FormatError) -> [EVMCase] {
    var cases: [EVMCase] = []
    for suite in ["main", "micro"] {
      for path in try files(fixtures + "/evm-benchmarks/" + suite) {
        cases += try EVMCase.stateTests(path: path, suite: suite)
      }
    }
    for path in try files(fixtures + "/contracts/revmc") {
      cases += try EVMCase.transactionLists(path: path, suite: "revmc")
    }
    return cases
  }

  private static func files(_ folder: String) throws(FormatError) -> [String] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw FormatError(
        .unreadableFile, "no such folder of benchmarks; name the fixtures with --fixtures",
        file: folder)
    }
    return names.filter { $0.hasSuffix(".json") }.sorted().map { folder + "/" + $0 }
  }
}
