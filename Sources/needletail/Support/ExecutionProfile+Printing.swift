import EVM
import Ethereum
import Execution

extension ExecutionProfile {
  /// Names, counts and gas of everything that ran, the costliest first.
  private var entries: [(name: String, entry: ProfileEntry)] {
    var entries: [(name: String, entry: ProfileEntry)] = []
    for (byte, entry) in opcodes.enumerated() where entry.count > 0 {
      entries.append((Disassembly.name(UInt8(byte)), entry))
    }
    if precompiles.count > 0 { entries.append(("precompiles", precompiles)) }
    if deployments.count > 0 { entries.append(("code deposit", deployments)) }
    return entries.sorted { ($1.entry.gas, $0.name) < ($0.entry.gas, $1.name) }
  }

  /// Prints gas by opcode; for a single transaction also what it costs before it runs.
  func printTable(_ rows: [RunReport.Row]) {
    let total = max(self.total, 1)
    var table = TextTable([
      ("opcode", .left), ("count", .right), ("gas", .right), ("share", .right),
    ])
    for (name, entry) in entries {
      let share = (entry.gas * 1000 / total)
      table.add([name, "\(entry.count)", Text.gas(entry.gas), "\(share / 10).\(abs(share % 10)) %"])
    }
    for line in table.lines { print(line) }
    let count = opcodes.reduce(0) { $0 + $1.count }
    print("  execution         \(Text.gas(self.total)) gas in \(Text.gas(count)) operations")
    if coldAccounts.count > 0 {
      print(
        "  cold accounts     \(Text.gas(coldAccounts.gas)) gas of that in "
          + "\(coldAccounts.count) accesses")
    }
  }

  /// Writes the entries as an object by name.
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      for (name, entry) in entries {
        writer.key(name)
        writer.object { writer in
          writer.member("count", entry.count)
          writer.member("gas", entry.gas)
        }
      }
    }
  }
}
