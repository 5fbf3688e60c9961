import Ethereum
import Foundation

/// What came of a case.
struct NodeResult {
  var name: String
  var samples: [NodeSample]

  private func median(_ value: (NodeSample) -> Double?) -> Double? {
    let values = samples.compactMap(value).sorted()
    return values.isEmpty ? nil : values[values.count / 2]
  }

  /// Prints results as a table or as JSON.
  static func print(_ results: [NodeResult], json: Bool) {
    if json {
      var writer = JSONWriter()
      writer.array { writer in
        for result in results { result.write(&writer) }
      }
      return Swift.print(writer.text)
    }
    var table = TextTable([
      ("case", .left), ("/s", .right), ("best /s", .right), ("answered /s", .right),
      ("recovery /s", .right), ("of it", .right), ("CPU us", .right), ("blocks", .right),
    ])
    func whole(_ value: Double?) -> String { value.map { String(format: "%.0f", $0) } ?? "" }
    for result in results {
      let rate = result.median(\.rate)
      let bound = result.median(\.bound)
      table.add([
        result.name, whole(rate), whole(result.samples.map(\.rate).max()),
        whole(result.median(\.answeredRate)), whole(bound),
        bound.flatMap { bound in rate.map { String(format: "%.0f %%", $0 / bound * 100) } } ?? "",
        result.median(\.processorMicroseconds).map { String(format: "%.1f", $0) } ?? "",
        whole(result.median { Double($0.blocks) }),
      ])
    }
    for line in table.lines { Swift.print(line) }
  }

  private func write(_ writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("case", name)
      writer.member("samples", samples.count)
      for (key, value) in [
        ("perSecond", median(\.rate)), ("bestPerSecond", samples.map(\.rate).max()),
        ("answeredPerSecond", median(\.answeredRate)), ("recoveryPerSecond", median(\.bound)),
        ("processorMicroseconds", median(\.processorMicroseconds)),
        ("blocks", median { Double($0.blocks) }),
      ] {
        guard let value else { continue }
        writer.key(key)
        writer.value(value)
      }
    }
  }
}
