import Foundation
import Testing

@testable import Node

@Suite struct MetricsTests {
  /// The names of the series that a node gives.
  private func names(_ text: String) -> Set<String> {
    Set(
      text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map {
        String($0.prefix { $0 != "{" && $0 != " " })
      })
  }

  private func page(_ node: TestNode) -> String {
    NodeMetrics(
      chain: node.chain, pool: node.pool, sequencer: node.sequencer, service: node.service
    ).text
  }

  @Test func countsWhatHappened() throws {
    let node = try TestNode()
    let from = DevelopmentAccounts.standard.addresses[0]
    _ = node.call("eth_sendTransaction", #"[{"from":"\#(from)","to":"\#(from)"}]"#)
    _ = node.call("eth_getBalance", "[]")
    let text = page(node)
    for line in [
      "needletail_head_number 1", "needletail_transactions_total 1", "needletail_gas_total 21000",
      "needletail_block_commit_seconds_count 1", "needletail_block_build_seconds_count 1",
      "needletail_pool_transactions 0", "needletail_pool_arrivals_total 1",
      #"needletail_rpc_seconds_count{method="eth_sendTransaction"} 1"#,
      #"needletail_rpc_errors_total{method="eth_getBalance"} 1"#,
      #"needletail_rpc_errors_total{method="eth_sendTransaction"} 0"#,
    ] { #expect(text.contains(line + "\n"), "\(line) in \(text)") }
    // Every series has a type, and its buckets grow.
    let buckets = text.split(separator: "\n").filter {
      $0.hasPrefix("needletail_block_commit_seconds_bucket")
    }.compactMap { Int($0.split(separator: " ")[1]) }
    #expect(buckets == buckets.sorted() && buckets.last == 1)
  }

  @Test func theDashboardShowsWhatThereIs() throws {
    let node = try TestNode()
    _ = node.call("eth_chainId")
    _ = node.call("evm_mine")
    let there = names(page(node))
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Deploy/grafana.json")
    let data = try Data(contentsOf: file)
    _ = try JSONSerialization.jsonObject(with: data)
    let text = String(decoding: data, as: UTF8.self)
    let shown = Set(text.matches(of: /needletail_[a-z_]+/).map { String($0.output) })
    #expect(shown.isSubset(of: there), "\(shown.subtracting(there))")
    // And nothing that a node counts is left out, but sums and the parts of a histogram.
    let missing = there.subtracting(shown).filter {
      !$0.hasSuffix("_sum") && !$0.hasSuffix("_count") && !$0.hasSuffix("_bucket")
    }
    #expect(missing == ["needletail_head_gas_used"], "\(missing)")
  }
}
