import EVM
import Ethereum
import Execution

extension RunReport {
  /// Prints the report for people: transactions, totals, what differs. `isShort` leaves one line of
  /// it where everything is fine.
  func printText(isShort: Bool) {
    let state = passed ? Terminal.green("ok") : Terminal.red("FAIL")
    if isShort {
      print(
        "\(state) \(name) (\(fork.name)): \(rows.count) transactions, \(Text.gas(gasUsed)) gas, "
          + Text.time(elapsed))
    } else {
      print("\(Terminal.bold(name)) under \(fork.name)")
      printTable()
      printTotals()
      if let parallel {
        print("  " + parallel.line(speedUp: serialElapsed.map { $0 / elapsed }))
      }
      if let profile { profile.printTable(rows) }
    }
    for failure in failures { print("  \(Terminal.red("error")): \(failure)") }
  }

  private func printTable() {
    if rows.isEmpty { return }
    var table = TextTable([
      ("#", .right), ("status", .left), ("gas", .right), ("logs", .right), ("from", .left),
      ("to", .left), ("reason", .left),
    ])
    for row in rows {
      var target = row.transaction.to?.short ?? "new"
      if let created = row.outcome?.contractAddress { target = "new \(created.short)" }
      var failure = row.rejection
      if let outcome = row.outcome, !outcome.status.isSuccess { failure = outcome.reason }
      var cells = ["\(row.index)", "rejected", "-", "-"]
      if let outcome = row.outcome, let receipt = row.receipt {
        cells[1] = outcome.status.isSuccess ? "success" : "failure"
        cells[2] = Text.gas(outcome.gasUsed)
        cells[3] = "\(receipt.logs.count)"
      }
      cells += [row.sender?.short ?? "-", target, failure ?? ""]
      table.add(cells, color: failure == nil ? nil : { Terminal.red($0) })
    }
    for line in table.lines { print(line) }
  }

  private func printTotals() {
    let unknown = "not known, as only a part of the state is"
    let succeeded = rows.count { $0.outcome?.status.isSuccess == true }
    let rejected = rows.count { $0.rejection != nil }
    let failed = rows.count - succeeded - rejected
    print(
      "  \(rows.count) transactions: \(succeeded) succeeded, \(failed) failed, "
        + "\(rejected) rejected")
    print(
      "  gas used          \(Text.gas(gasUsed)) in \(Text.time(elapsed)) "
        + "(\(Text.rate(gasUsed, elapsed / .seconds(1))))")
    print(
      "  state root        \(stateRoot?.description ?? unknown)")
    print("  receipts root     \(receiptsRoot?.description ?? unknown)")
    print("  transactions root \(transactionsRoot)")
    print("  logs bloom        \(logsBloom.short)")
  }

  /// Writes the report as an object; a whole one has the receipts and the state too.
  func write(to writer: inout JSONWriter, input: String, isWhole: Bool) {
    writer.object { writer in
      writer.member("input", input)
      writer.member("name", name)
      writer.member("fork", fork.name)
      writer.member("pass", passed)
      writer.key("failures")
      writer.array { writer in
        for failure in failures { writer.value(failure) }
      }
      writer.member("gasUsed", gasUsed)
      writer.key("seconds")
      writer.value(elapsed / .seconds(1))
      if let parallel {
        writer.key("parallel")
        parallel.write(to: &writer)
        if let serialElapsed {
          writer.key("serialSeconds")
          writer.value(serialElapsed / .seconds(1))
        }
      }
      writer.key("stateRoot")
      if let stateRoot { writer.value(stateRoot) } else { writer.null() }
      writer.key("receiptsRoot")
      if let receiptsRoot { writer.value(receiptsRoot) } else { writer.null() }
      writer.member("transactionsRoot", transactionsRoot)
      writer.member("logsBloom", hexadecimal: logsBloom.bytes)
      writer.key("transactions")
      writer.array { writer in
        for row in rows { row.write(to: &writer) }
      }
      if let profile {
        writer.key("profile")
        profile.write(to: &writer)
      }
      guard isWhole else { return }
      writer.key("receipts")
      writer.array { writer in
        for row in rows { row.writeReceipt(to: &writer) }
      }
      writer.key("alloc")
      state.allocation.write(to: &writer)
    }
  }
}

extension RunReport.Row {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("index", index)
      writer.member("hash", transaction.hash)
      writer.member("type", transaction.type.rawValue)
      if let sender { writer.member("from", sender) }
      if let to = transaction.to { writer.member("to", to) }
      guard let outcome else {
        writer.member("status", "rejected")
        writer.member("error", rejection ?? "")
        return
      }
      writer.member("status", outcome.status.isSuccess ? "success" : "failure")
      if !outcome.status.isSuccess { writer.member("error", outcome.reason) }
      writer.member("gasUsed", outcome.gasUsed)
      writer.member("gasRefunded", outcome.gasRefunded)
      writer.member("logs", receipt?.logs.count ?? 0)
      if let address = outcome.contractAddress { writer.member("contractAddress", address) }
      writer.member("output", hexadecimal: outcome.output)
    }
  }

  /// Writes the receipt in the names of the JSON-RPC interface.
  fileprivate func writeReceipt(to writer: inout JSONWriter) {
    guard let receipt, let outcome else { return }
    writer.object { writer in
      writer.member("transactionIndex", quantity: UInt64(index))
      writer.member("transactionHash", transaction.hash)
      writer.member("type", quantity: UInt64(receipt.type.rawValue))
      switch receipt.outcome {
      case .stateRoot(let root): writer.member("root", root)
      case .status(let success): writer.member("status", quantity: success ? 1 : 0 as UInt64)
      }
      writer.member("gasUsed", quantity: outcome.gasUsed)
      writer.member("cumulativeGasUsed", quantity: receipt.cumulativeGasUsed)
      writer.member("effectiveGasPrice", quantity: outcome.effectiveGasPrice)
      if let address = outcome.contractAddress { writer.member("contractAddress", address) }
      writer.member("logsBloom", hexadecimal: receipt.bloom.bytes)
      writer.key("logs")
      writer.array { writer in
        for log in receipt.logs { log.write(to: &writer) }
      }
    }
  }
}

extension TransactionOutcome {
  /// Why the transaction failed: the halt, or the message of a revert.
  var reason: String {
    guard status == .reverted else { return status.words }
    guard let message = RevertReason.text(output) else {
      return output.isEmpty ? "reverted" : "reverted with \(Hexadecimal.string(output).prefix(74))"
    }
    return "reverted: \(message)"
  }
}

extension Address {
  /// The first and last digits.
  var short: String {
    let text = description
    return "\(text.prefix(8))..\(text.suffix(4))"
  }
}

extension Bloom {
  /// How many bits are set, and a hash to compare by eye.
  var short: String {
    let bits = bytes.reduce(0) { $0 + $1.nonzeroBitCount }
    return bits == 0 ? "empty" : "\(bits) bits set, hash \(Keccak256.hash(bytes))"
  }
}
