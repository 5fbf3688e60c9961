/// A table for a terminal: columns as wide as their widest cell.
struct TextTable {
  /// Where the cells of a column stand.
  enum Alignment { case left, right }

  private let titles: [String]
  private let alignments: [Alignment]
  private var rows: [(cells: [String], color: ((String) -> String)?)] = []

  /// A table with these columns.
  init(_ columns: [(title: String, alignment: Alignment)]) {
    titles = columns.map(\.title)
    alignments = columns.map(\.alignment)
  }

  /// Adds a row; `color` paints it.
  mutating func add(_ cells: [String], color: ((String) -> String)? = nil) {
    rows.append((cells, color))
  }

  /// The lines, the titles first.
  var lines: [String] {
    let widths = titles.indices.map { column in
      rows.reduce(titles[column].count) { max($0, $1.cells[column].count) }
    }
    func line(_ cells: [String]) -> String {
      var text = ""
      for (column, cell) in cells.enumerated() {
        let space = String(repeating: " ", count: widths[column] - cell.count)
        text +=
          (column == 0 ? "  " : "  ") + (alignments[column] == .left ? cell + space : space + cell)
      }
      while text.last == " " { text.removeLast() }
      return text
    }
    return [Terminal.bold(line(titles))]
      + rows.map { row in
        row.color.map { $0(line(row.cells)) } ?? line(row.cells)
      }
  }
}
