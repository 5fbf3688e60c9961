import ArgumentParser
import Ethereum
import Foundation

struct BenchNodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "node",
    abstract: "Time what a node does for its clients, over its ports.",
    discussion: """
      Starts a node in this process, with a sequencer on a chain with many accounts, and clients that \
      ask over real sockets. Cases:

        ingest    transfers through the ingest socket
        batches   transfers through batches of JSON-RPC over HTTP

      A case of transfers ends when all are in durable blocks, and each sender's nonce is compared \
      then. `recovery` is what the machine does when it only recovers senders, on all cores: no way \
      to take transactions in is faster. The clients share the machine with the node.

        needletail bench node --cases ingest --transactions 200000 --json
      """)

  @Option(help: "Cases, with commas; all by default.")
  var cases = NodeCase.allCases.map(\.rawValue).joined(separator: ",")
  @Option(help: "Transactions of a case of transfers.") var transactions = 100_000
  @Option(help: "Accounts that send them.") var senders = 2000
  @Option(help: "Connections.") var connections = 4
  @Option(help: "Transactions of a batch.") var batch = 500
  @Option(help: "Gas of a block.") var gasLimit: UInt64 = 300_000_000
  @Option(help: "When blocks are forced to the disk: block or never.") var sync = "block"
  @Option(help: "How often each case is run.") var repeats = 3
  @Flag(help: "Print the results as JSON.") var json = false

  func validate() throws {
    if !(1...10_000_000).contains(transactions) || !(1...100_000).contains(senders)
      || !(1...1000).contains(connections) || !(1...1000).contains(batch)
      || !(1...1000).contains(repeats)
    {
      throw ValidationError("a number is out of its range")
    }
    for name in names where NodeCase(rawValue: name) == nil {
      throw ValidationError(
        "there is no case \(name); there are "
          + NodeCase.allCases.map(\.rawValue).joined(separator: ", "))
    }
    if sync != "block" && sync != "never" { throw ValidationError("--sync: block or never") }
  }

  private var names: [String] { cases.split(separator: ",").map(String.init) }

  func run() throws {
    let load = NodeLoad(
      transactions: transactions, connections: connections, batch: batch)
    var results: [NodeResult] = []
    for kind in names.compactMap({ NodeCase(rawValue: $0) }) {
      var samples: [NodeSample] = []
      for index in 0..<repeats {
        if !json { Terminal.progress(done: index, of: repeats, kind.rawValue) }
        let bench = try NodeBench(
          senders: senders, gasLimit: gasLimit, isDurable: sync == "block")
        samples.append(try kind.run(bench, load))
        try bench.close()
      }
      results.append(NodeResult(name: kind.rawValue, samples: samples))
    }
    Terminal.clearProgress()
    NodeResult.print(results, json: json)
  }
}
