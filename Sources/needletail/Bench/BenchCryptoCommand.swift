import ArgumentParser
import Ethereum
import Foundation

struct BenchCryptoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crypto",
    abstract: "Time every hash, curve operation and precompile, after checking its result.",
    discussion: """
      Each output is compared with a known answer before its operation is timed. libsecp256k1, \
      OpenSSL and GMP are timed in turns with it where they are installed (Debian: apt-get install \
      libsecp256k1-1 libssl3 libgmp10); they are opened when the command runs. Keccak-256 stands \
      beside OpenSSL's SHA3-256: the same permutation and rate.

      Times are medians of the thread's own time, the spread is that of the middle half of the samples.

        needletail bench crypto --case keccak
        needletail bench crypto --case pairing --samples 51
      """)

  @Option(name: .customLong("case"), help: "Run only the cases whose group or name contains this.")
  var filter: String?

  @Option(help: "Samples of each time.")
  var samples = 21

  @Flag(help: "Print the results as JSON, one object a line.")
  var json = false

  func validate() throws {
    if samples < 1 || samples > 10_000 {
      throw ValidationError("--samples: \(samples) is not from 1 to 10000")
    }
  }

  func run() throws {
    let cases = CryptoSuite.cases().filter { entry in
      filter.map { "\(entry.group.rawValue) \(entry.name)".contains($0) } ?? true
    }
    guard !cases.isEmpty else {
      throw ValidationError("no case contains \"\(filter ?? "")\"; run without --case to see all")
    }
    var table = TextTable(CryptoResult.columns)
    var wrong = 0
    for (index, entry) in cases.enumerated() {
      Terminal.progress(done: index, of: cases.count, entry.name)
      if let fault = fault(of: entry) {
        Terminal.clearProgress()
        Terminal.note("needletail: \(entry.name): \(fault); not timed")
        wrong += 1
        continue
      }
      let result = measured(entry)
      if json {
        Terminal.clearProgress()
        var writer = JSONWriter()
        result.write(to: &writer)
        print(String(decoding: writer.bytes, as: UTF8.self))
        fflush(nil)
      } else {
        let color: ((String) -> String)? = result.isInTarget == false ? { Terminal.red($0) } : nil
        table.add(result.cells, color: color)
      }
    }
    Terminal.clearProgress()
    if !json { for line in table.lines { print(line) } }
    if wrong > 0 { throw ExitCode(1) }
  }

  /// What is wrong with a case's output; `nil` for nothing.
  private func fault(of entry: CryptoCase) -> String? {
    let output = entry.output()
    if !entry.answer.matches(output) {
      return "the output is wrong: \(Hexadecimal.string(output))"
    }
    // SHA3-256 has the permutation in common with Keccak-256, not the result.
    if case .present(let library, let theirs, _) = entry.peer, library != "OpenSSL SHA3-256" {
      let other = theirs()
      if other != output && !other.isEmpty {
        return "\(library) gives another output: \(Hexadecimal.string(other))"
      }
    }
    return nil
  }

  private func measured(_ entry: CryptoCase) -> CryptoResult {
    var works = [entry.work]
    if case .present(_, _, let work) = entry.peer { works.append(work) }
    let times = Measurement.interleaved(works, samples: samples)
    return CryptoResult(entry: entry, own: times[0], peer: times.count > 1 ? times[1] : nil)
  }
}
