import EVM
import Execution
import Foundation

/// One self-contained page about profiles: for each a bar of glue against coprocessors, its table,
/// and flame graphs by time and by gas. Light or dark as the reader's system is.
struct ProfilePage {
  private let profiles: [BlockProfile]

  init(_ profiles: [BlockProfile]) { self.profiles = profiles }

  /// The page as HTML.
  var text: String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Needletail profile</title>
    <style>
    \(Self.style)
    </style>
    </head>
    <body>
    <h1>Where gas and time go</h1>
    \(profiles.map(section).joined(separator: "\n"))
    </body>
    </html>

    """
  }

  private func section(_ profile: BlockProfile) -> String {
    var byTime = FlameGraph(profile.call, .nanoseconds)
    var byGas = FlameGraph(profile.call, .gas)
    let notes = profile.notes.map { "<p>\(FlameGraph.escaped($0))</p>" }.joined()
    return """
      <section>
      <h2>\(FlameGraph.escaped(profile.name)) <small>\(profile.fork.name)</small></h2>
      <p>\(Text.gas(profile.gasUsed)) gas used, \(Text.gas(profile.gasRefunded)) refunded, \
      \(BlockProfile.time(profile.nanoseconds))</p>
      \(notes)
      \(bar("Time", profile.rows, .nanoseconds))
      \(bar("Gas", profile.rows, .gas))
      \(table(profile))
      <h3>Time by call</h3>
      \(byTime.svg() ?? "<p>none</p>")
      <h3>Gas by call</h3>
      \(byGas.svg() ?? "<p>none</p>")
      </section>
      """
  }

  /// Glue against coprocessors, each coprocessor a piece of its own.
  private func bar(_ title: String, _ rows: [ProfileRow], _ weight: CallProfile.Weight) -> String {
    let kinds: [ProfileBucket.Kind] = [.glue, .envelope, .coprocessor]
    let wanted = kinds.flatMap { kind in
      rows.filter { $0.bucket.kind == kind && weight.of($0) > 0 }
        .sorted { weight.of($0) > weight.of($1) }
    }
    let total = wanted.reduce(UInt64(0)) { $0 + weight.of($1) }
    guard total > 0 else { return "" }
    let pieces = wanted.map { row in
      let share = Double(weight.of(row)) / Double(total)
      let width = String(format: "%.3f", share * 100)
      let label = "\(row.bucket.name) \(BlockProfile.percent(share))"
      return "<span class=\"\(row.bucket.kind.rawValue)\" style=\"width:\(width)%\" "
        + "title=\"\(label)\">\(share > 0.07 ? label : "")</span>"
    }
    return "<div class=\"caption\">\(title)</div><div class=\"bar\">\(pieces.joined())</div>"
  }

  private func table(_ profile: BlockProfile) -> String {
    let total = max(1, profile.nanoseconds)
    let rows = profile.rows.map { row in
      let isWork = row.bucket != .profiler
      let cells = [
        row.backEnd, Text.gas(row.calls),
        row.units > 0 ? "\(Text.gas(row.units)) \(row.bucket.unit ?? "")" : "",
        row.gas == 0 ? "" : Text.gas(row.gas), BlockProfile.time(row.hostNanoseconds),
        row.deviceNanoseconds == 0 ? "" : BlockProfile.time(row.deviceNanoseconds),
        row.bytesMoved == 0 ? "" : Text.gas(row.bytesMoved),
        isWork ? BlockProfile.percent(Double(row.nanoseconds) / Double(total)) : "",
        isWork ? BlockProfile.time(profile.nanoseconds(without: row)) : "",
      ]
      return "<tr><th scope=\"row\"><i class=\"\(row.bucket.kind.rawValue)\"></i>"
        + "\(row.bucket.name)</th>" + cells.map { "<td>\($0)</td>" }.joined() + "</tr>"
    }
    let titles = [
      "bucket", "back end", "calls", "units", "gas", "host", "device", "bytes moved",
      "share of time",
      "if free",
    ]
    return """
      <div class="wide"><table>
      <thead><tr>\(titles.map { "<th scope=\"col\">\($0)</th>" }.joined())</tr></thead>
      <tbody>
      \(rows.joined(separator: "\n"))
      </tbody>
      </table></div>
      """
  }

  private static let style = """
    :root { color-scheme: light dark; --text: #1c2024; --page: #fbfbfa; --line: #d8dadd;
      --glue: #d98e4a; --coprocessor: #4f8fc9; --envelope: #a9afb7; --profiler: #d5d7da;
      --call: #e6e3da; --ink: #16181b; }
    @media (prefers-color-scheme: dark) {
      :root { --text: #e4e6e9; --page: #16181b; --line: #34383d; --glue: #b06a2a;
        --coprocessor: #2f6ca3; --envelope: #5c636c; --profiler: #3a3f45; --call: #2a2d31;
        --ink: #f2f3f5; }
    }
    body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page);
      max-width: 1200px; margin: 2rem auto; padding: 0 1rem; }
    h2 small { font-weight: normal; opacity: .7; }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0; }
    th, td { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid var(--line);
      white-space: nowrap; }
    th:first-child { text-align: left; font-weight: normal; }
    thead th, thead th:first-child { font-weight: 600; }
    i { display: inline-block; width: .7em; height: .7em; margin-right: .5em; }
    .caption { margin-top: .6rem; }
    .bar { display: flex; height: 2rem; overflow: hidden; border-radius: 4px; }
    .bar span { overflow: hidden; white-space: nowrap; font-size: 12px; line-height: 2rem;
      padding-left: 0; text-align: center; color: var(--ink); box-shadow: inset -1px 0 var(--page); }
    .glue { background: var(--glue); fill: var(--glue); }
    .coprocessor { background: var(--coprocessor); fill: var(--coprocessor); }
    .envelope { background: var(--envelope); fill: var(--envelope); }
    .profiler { background: var(--profiler); fill: var(--profiler); }
    rect.call { fill: var(--call); }
    .flame rect { stroke: var(--page); stroke-width: .5; }
    .flame text { font: 11px ui-monospace, monospace; fill: var(--ink); }
    """
}
