import Execution
import Foundation

/// A flame graph as SVG: calls from the outermost at the top, each as wide as what it weighs; what a
/// call spends itself hangs below it by bucket.
struct FlameGraph {
  private let weight: CallProfile.Weight
  private let root: CallProfile
  private let total: UInt64
  private var boxes: [String] = []
  private var rowCount = 0

  private static let width = 1000.0
  private static let rowHeight = 18
  /// Narrower boxes are left out: a tenth of a pixel of a wide screen.
  private static let leastWidth = 0.1

  /// The graph of a call.
  init(_ root: CallProfile, _ weight: CallProfile.Weight) {
    self.root = root
    self.weight = weight
    total = weight.of(root)
  }

  /// The graph; `nil` where nothing weighs anything.
  mutating func svg() -> String? {
    guard total > 0 else { return nil }
    draw(root, at: 0, row: 0)
    let height = rowCount * Self.rowHeight
    return """
      <svg class="flame" viewBox="0 0 1000 \(height)" width="100%" height="\(height)" \
      preserveAspectRatio="none" role="img" aria-label="flame graph by \(weight.rawValue)">
      \(boxes.joined(separator: "\n"))
      </svg>
      """
  }

  private mutating func draw(_ call: CallProfile, at x: Double, row: Int) {
    box(call.label, weight.of(call), "call", at: x, row: row)
    var next = x
    for child in call.children.sorted(by: { weight.of($0) > weight.of($1) }) {
      let width = span(weight.of(child))
      if width >= Self.leastWidth { draw(child, at: next, row: row + 1) }
      next += width
    }
    for entry in call.rows.sorted(by: { weight.of($0) > weight.of($1) }) where weight.of(entry) > 0
    {
      let width = span(weight.of(entry))
      if width >= Self.leastWidth {
        box(entry.bucket.name, weight.of(entry), entry.bucket.kind.rawValue, at: next, row: row + 1)
      }
      next += width
    }
  }

  private func span(_ weight: UInt64) -> Double { Double(weight) / Double(total) * Self.width }

  private mutating func box(
    _ label: String, _ weight: UInt64, _ kind: String, at x: Double, row: Int
  ) {
    rowCount = max(rowCount, row + 1)
    let width = span(weight)
    let amount =
      self.weight == .gas
      ? "\(Text.gas(weight)) gas" : BlockProfile.time(weight)
    let share = BlockProfile.percent(Double(weight) / Double(total))
    let name = Self.escaped(label)
    let place = String(
      format: "x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"", x, row * Self.rowHeight, width,
      Self.rowHeight - 1)
    boxes.append(
      "<svg \(place)><title>\(name): \(amount), \(share)</title>"
        + "<rect class=\"\(kind)\" width=\"100%\" height=\"100%\"/>"
        + (width > 20 ? "<text x=\"4\" y=\"13\">\(name)</text>" : "") + "</svg>")
  }

  /// Text inside of XML.
  static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;")
  }
}
