import Coprocessors
import EVM
import Ethereum
import Foundation
import GPU
import Synchronization

/// The comparison of back ends with references on many requests.
struct CoprocessorCheck {
  /// Random requests of each coprocessor.
  let rows: Int

  private static let batch = 16_384

  /// Compares; true when all is equal. Prints a line for each back end.
  func run(_ entries: [CoprocessorRegistry.Entry]) throws(CoprocessorError) -> Bool {
    var isEqual = true
    for entry in entries {
      let name = entry.coprocessor.name
      let backEnds = entry.backEnds.filter { $0.health == .healthy }.map(\.backEnd)
      var differences: [String: String] = [:]
      let reference = CPUBackEnd(ReferenceOnly(entry.coprocessor))
      var requests = entry.coprocessor.edgeRequests
      var done = 0
      while true {
        let expected = reference.run(requests)
        for backEnd in backEnds where differences[backEnd.name] == nil {
          if let row = try backEnd.run(requests).firstDifference(expected) {
            differences[backEnd.name] = "request \(Hexadecimal.string(requests[row]))"
          }
        }
        if done >= rows { break }
        let count = min(Self.batch, rows - done)
        requests = Self.randomRequests(entry.coprocessor, count, seed: UInt64(done))
        done += count
        Terminal.progress(done: done, of: rows, name)
      }
      for backEnd in backEnds {
        if name == "keccak256", rows >= Self.manyRows, let found = try gibibyte(backEnd) {
          differences[backEnd.name] = found
        }
        if let lanes = backEnd as? LaneBackEnd, name == "recover" {
          let pairs = min(rows, 1 << 22)
          let wrong = try lanes.differencesOfFields(pairs: pairs, seed: 1)
          if wrong > 0 {
            differences[backEnd.name] = "\(wrong) of \(pairs) pairs of its field's numbers"
          }
        }
        Terminal.clearProgress()
        if let difference = differences[backEnd.name] {
          isEqual = false
          Terminal.note(
            Terminal.red("\(name) \(backEnd.name): not equal to the reference: \(difference)"))
        } else {
          let host = (backEnd as? LaneBackEnd)?.hostRows ?? 0
          Terminal.note(
            "\(name) \(backEnd.name): equal to the reference on edges and \(done) random requests"
              + (host > 0 ? ", of which the host did \(host) long ones beside the lanes" : ""))
        }
      }
      if name == "keccak256", !streamsAGibibyte() { isEqual = false }
    }
    return isEqual
  }

  /// Random requests, made by all cores.
  private static func randomRequests(_ coprocessor: any Coprocessor, _ count: Int, seed: UInt64)
    -> ByteColumn
  {
    let size = 1024
    let pieces = (count + size - 1) / size
    let made = Mutex([ByteColumn](repeating: ByteColumn(), count: pieces))
    Workers.run(pieces, on: ProcessInfo.processInfo.activeProcessorCount) { piece in
      let part = coprocessor.randomRequests(
        min(size, count - piece * size), seed: seed + UInt64(piece * size))
      made.withLock { $0[piece] = part }
    }
    var requests = ByteColumn(rows: count)
    for part in made.withLock({ $0 }) { requests.append(contentsOf: part) }
    return requests
  }

  /// From so many rows on, a message of 1 GiB is one of the requests, too.
  private static let manyRows = 100_000

  /// Keccak-256 of 2^30 zero bytes, by pycryptodome 4.4, Crypto.Hash.keccak.
  private static let gibibyteHash =
    "0x06d9999c258b593bd3d3f4feb18f4838c086b1f30cc24b7a1acef0788bfe2964"

  /// What is wrong with a back end's hash of 1 GiB between short messages.
  private func gibibyte(_ backEnd: any CoprocessorBackEnd) throws(CoprocessorError) -> String? {
    var requests = ByteColumn(rows: 3, bytes: (1 << 30) + 1)
    requests.append([])
    // An array: any other sequence goes byte by byte, which takes minutes.
    requests.append([UInt8](repeating: 0, count: 1 << 30))
    requests.append([1])
    let results = try backEnd.run(requests)
    let found = Hexadecimal.string(results[1] ?? [])
    if results[0] != Keccak256.empty.bytes { return "no bytes, beside 1 GiB" }
    return found == Self.gibibyteHash ? nil : "1 GiB of zeros: \(found)"
  }

  /// Hashes 2^30 zero bytes in pieces of many sizes, as a message that is streamed.
  private func streamsAGibibyte() -> Bool {
    let piece = [UInt8](repeating: 0, count: 1 << 20)
    var hash = Keccak256()
    var left = 1 << 30
    var size = 1
    while left > 0 {
      let count = min(left, size)
      piece.withUnsafeBufferPointer { hash.absorb(UnsafeBufferPointer(rebasing: $0[..<count])) }
      left -= count
      size = min(size * 2 + 1, piece.count)
    }
    let isEqual = "\(hash.finalize())" == Self.gibibyteHash
    Terminal.note(
      isEqual
        ? "keccak256: 1 GiB in pieces is equal to another library's hash"
        : Terminal.red("keccak256: 1 GiB in pieces: expected \(Self.gibibyteHash)"))
    return isEqual
  }

  /// A coprocessor whose every row is the reference's, so that references run on all cores.
  private struct ReferenceOnly: CoprocessorStandIn {
    let operation: any Coprocessor
    init(_ operation: any Coprocessor) { self.operation = operation }
  }
}
