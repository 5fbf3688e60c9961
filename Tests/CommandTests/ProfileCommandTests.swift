import Foundation
import TestSupport
import Testing

/// The profile command as users run it, on an example of the checkout.
struct ProfileCommandTests {
  private static let batch =
    Fixtures.checkout.appendingPathComponent("Examples/batches/transfers.json").path

  @Test func jsonHasRowsThatSumUp() throws {
    let command = try Command()
    defer { command.remove() }
    let output = try command.run(["profile", Self.batch, "--json", "--repeats", "1"])
    #expect(output.status == 0)
    #expect(output.standardError == "")
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(output.standardOutput.utf8)) as? [String: Any])
    let rows = try #require(object["rows"] as? [[String: Any]])
    let gas = rows.reduce(0) { $0 + ($1["gas"] as? Int ?? 0) }
    #expect(gas > 0)
    #expect(gas - (object["gasRefunded"] as? Int ?? 0) == object["gasUsed"] as? Int)
    #expect(rows.contains { $0["bucket"] as? String == "sender recovery" })
    #expect(rows.contains { $0["bucket"] as? String == "trie root" })
    #expect(rows.allSatisfy { $0["nanosecondsIfFree"] is Int && $0["backEnd"] as? String == "cpu" })
  }

  @Test func oneTransactionCanBeNamed() throws {
    let command = try Command()
    defer { command.remove() }
    let first = try command.run(["profile", Self.batch, "--transaction", "0", "--repeats", "1"])
    #expect(first.status == 0)
    #expect(first.standardOutput.contains("transaction 0 0x"))
    let none = try command.run(["profile", Self.batch, "--transaction", "999", "--repeats", "1"])
    #expect(none.status == 2)
    #expect(none.standardError.contains("no executed transaction is 999"))
  }

  @Test func pageStandsByItself() throws {
    let command = try Command()
    defer { command.remove() }
    let output = try command.run(["profile", Self.batch, "--html", "page.html", "--repeats", "1"])
    #expect(output.status == 0)
    let page = try #require(command.read("page.html"))
    #expect(page.hasPrefix("<!doctype html>"))
    #expect(page.hasSuffix("</html>\n"))
    for part in ["class=\"bar\"", "class=\"flame\"", "prefers-color-scheme: dark", "glue"] {
      #expect(page.contains(part), "\(part)")
    }
    // Nothing is loaded from elsewhere.
    #expect(!page.contains("http"))
    #expect(!page.contains("<script"))
  }

  @Test func foldedStacksAreStacksAndWeights() throws {
    let command = try Command()
    defer { command.remove() }
    let output = try command.run([
      "profile", Self.batch, "--folded", "-", "--weight", "gas", "--repeats", "1",
    ])
    #expect(output.status == 0)
    let lines = output.standardOutput.split(separator: "\n")
    #expect(!lines.isEmpty)
    for line in lines {
      let weight = line.split(separator: " ").last.flatMap { Int($0) }
      #expect((weight ?? 0) > 0, "\(line)")
      #expect(line.contains(";"), "\(line)")
    }
    let wrong = try command.run(["profile", Self.batch, "--weight", "smiles"])
    #expect(wrong.status == 2)
  }
}
