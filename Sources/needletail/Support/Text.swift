import Foundation

/// Numbers as people read them.
enum Text {
  /// A number with commas between the thousands.
  static func gas(_ number: some BinaryInteger) -> String {
    var digits = String(number)
    let sign = digits.hasPrefix("-") ? String(digits.removeFirst()) : ""
    var parts: [Substring] = []
    while digits.count > 3 {
      parts.append(digits.suffix(3))
      digits.removeLast(3)
    }
    parts.append(Substring(digits))
    return sign + parts.reversed().joined(separator: ",")
  }

  /// A duration in the unit that suits it.
  static func time(_ duration: Duration) -> String {
    let seconds = duration / .seconds(1)
    if seconds >= 1 { return String(format: "%.2f s", seconds) }
    if seconds >= 0.001 { return String(format: "%.2f ms", seconds * 1e3) }
    return String(format: "%.1f us", seconds * 1e6)
  }

  /// A part of one, in percent.
  static func percent(_ part: Double) -> String { String(format: "%.1f %%", part * 100) }

  /// How many times as much.
  static func factor(_ factor: Double) -> String { String(format: "%.2fx", factor) }

  /// Gas a second.
  static func rate(_ gas: UInt64, _ seconds: Double) -> String {
    String(format: "%.0f Mgas/s", seconds > 0 ? Double(gas) / seconds / 1e6 : 0)
  }
}
