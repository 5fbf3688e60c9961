import EVM
import Ethereum
import Execution
import Foundation

extension BlockProfile {
  /// Prints one table: of the only transaction, or of the block with a line for each transaction.
  func printTable() {
    print("\(Terminal.bold(name)) under \(fork.name)")
    var table = TextTable([
      ("bucket", .left), ("back end", .left), ("calls", .right), ("units", .right), ("gas", .right),
      ("share", .right), ("time", .right), ("share", .right), ("if free", .right),
    ])
    let gas = rows.reduce(Int64(0)) { $0 + $1.gas }
    for row in rows {
      let time = row.nanoseconds
      let isWork = row.bucket != .profiler
      table.add([
        row.bucket.name, row.backEnd, Text.gas(row.calls),
        row.units > 0 ? "\(Text.gas(row.units)) \(row.bucket.unit ?? "")" : "",
        row.gas == 0 ? "" : Text.gas(row.gas), row.gas == 0 ? "" : Self.share(row.gas, of: gas),
        Self.time(time), isWork ? Self.share(time, of: nanoseconds) : "",
        isWork ? Self.time(nanoseconds(without: row)) : "",
      ])
    }
    table.add([
      "refund", "", "", "", gasRefunded == 0 ? "0" : "-\(Text.gas(gasRefunded))", "", "", "", "",
    ])
    for line in table.lines { print(line) }
    print(
      "  gas   \(Text.gas(gas)) before the refund, \(Text.gas(gasUsed)) used; "
        + "\(Self.percent(coprocessorShareOfGas)) of signatures and execution is coprocessor work")
    print(
      "  time  \(Self.time(nanoseconds)) (\(Self.time(watchedNanoseconds)) while watched, the "
        + "fastest of \(repeats)); \(Self.percent(coprocessorShareOfTime)) is coprocessor work")
    for note in notes { print("  note  \(note)") }
    if transactions.count > 1 { printTransactions() }
  }

  private func printTransactions() {
    var table = TextTable([
      ("#", .right), ("hash", .left), ("gas", .right), ("refund", .right), ("coprocessors", .right),
      ("time", .right), ("most time", .left),
    ])
    for executed in transactions {
      let costliest = executed.rows.filter { $0.bucket != .profiler }.max {
        $0.nanoseconds < $1.nanoseconds
      }
      table.add([
        "\(executed.index)", String(executed.hash.description.prefix(10)),
        Text.gas(executed.gasUsed), Text.gas(executed.gasRefunded),
        Self.percent(executed.coprocessorShareOfGas), Self.time(executed.nanoseconds),
        costliest?.bucket.name ?? "",
      ])
    }
    for line in table.lines { print(line) }
  }

  /// A time in the unit that suits it.
  static func time(_ nanoseconds: UInt64) -> String {
    Text.time(.nanoseconds(Int64(clamping: nanoseconds)))
  }

  private static func share(_ part: some BinaryInteger, of whole: some BinaryInteger) -> String {
    whole == 0 ? "" : percent(Double(part) / Double(whole))
  }

  /// A share from 0 to 1 in percent.
  static func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }
}
