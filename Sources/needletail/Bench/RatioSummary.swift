/// Geometric means of our times over a peer's, by suite.
enum RatioSummary {
  /// A ratio of a case and the suite it is in.
  typealias Entry = (suite: String, ratio: Double)
  /// A suite or several, how many cases have a ratio, their mean.
  typealias Line = (suite: String, count: Int, mean: Double)

  /// The suites in the order of their first case, then those that the aims are set for, then all.
  static func lines(_ entries: [Entry]) -> [Line] {
    var groups: [(name: String, suites: Set<String>)] = []
    for entry in entries where !groups.contains(where: { $0.name == entry.suite }) {
      groups.append((entry.suite, [entry.suite]))
    }
    let suites = Set(entries.map(\.suite))
    if suites.count > 2, suites.isSuperset(of: ["main", "revmc"]) {
      groups.append(("main and revmc", ["main", "revmc"]))
    }
    if suites.count > 1 { groups.append(("all", suites)) }
    return groups.compactMap { name, suites in
      let ratios = entries.filter { suites.contains($0.suite) }.map(\.ratio)
      return ratios.geometricMean.map { (name, ratios.count, $0) }
    }
  }
}
