import TestSupport
import Testing

@testable import EVM

/// Proofs of blobs against c-kzg-4844's (`Tools/vectors/blobs.py`).
@Suite struct BlobProofTests {
  private struct Vector {
    var name: String
    var blob: [UInt8]
    var commitment: [UInt8]
    var proof: [UInt8]
    var cells: [UInt8]
  }

  private static let lines = vectorLines(file: "blobs.txt").map {
    $0.split(separator: " ").map(String.init)
  }

  private static let vectors: [Vector] = lines.filter { $0.count == 4 }.compactMap { line in
    guard let commitment = bytes(hexadecimal: line[1]), let proof = bytes(hexadecimal: line[2]),
      let cells = bytes(hexadecimal: line[3])
    else { return nil }
    return Vector(
      name: line[0], blob: blob(line[0]), commitment: commitment, proof: proof, cells: cells)
  }

  private static func blob(_ name: String) -> [UInt8] {
    guard let number = UInt32(name) else {
      var word = [UInt8](repeating: 0, count: 32)
      word[31] = name == "ones" ? 1 : 0
      return (0..<4096).flatMap { _ in word }
    }
    return (0..<UInt32(4096)).flatMap { index -> [UInt8] in
      var input: [UInt8] = []
      for word in [number, index] {
        for shift in [24, 16, 8, 0] {
          input.append(UInt8(truncatingIfNeeded: word >> UInt32(shift)))
        }
      }
      var word = [UInt8](repeating: 0, count: 32)
      input.withUnsafeBufferPointer { Keccak256.hash($0) }.word.store(bigEndian: &word)
      word[0] &= 0x3F
      return word
    }
  }

  private static func withScratch<Result>(
    _ bytes: Int = BlobProof.scratchBytes, _ body: (inout Arena) -> Result
  ) -> Result {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    defer { memory.deallocate() }
    var arena = Arena(base: memory, capacity: bytes)
    return body(&arena)
  }

  private static func verify(_ vector: Vector, scratch: Int = BlobProof.scratchBytes) -> Bool? {
    withScratch(scratch) {
      BlobProof.verify(
        blob: vector.blob, commitment: vector.commitment, proof: vector.proof, scratch: &$0)
    }
  }

  private static func verifyCells(_ vector: Vector, scratch: Int = BlobProof.scratchBytes) -> Bool?
  {
    guard let text = lines.last?.last, let points = bytes(hexadecimal: text) else { return nil }
    let ceremony = UnsafeMutableRawPointer.allocate(
      byteCount: BlobProof.ceremonyBytes, alignment: 64)
    defer { ceremony.deallocate() }
    guard BlobProof.readCeremony(points, into: ceremony) else { return nil }
    return withScratch(scratch) {
      BlobProof.verifyCells(
        blob: vector.blob, commitment: vector.commitment, proofs: vector.cells,
        ceremony: ceremony, scratch: &$0)
    }
  }

  @Test func takesRightProofs() {
    #expect(Self.vectors.map(\.name) == ["zero", "ones", "1", "2"])
    for vector in Self.vectors {
      #expect(Self.verify(vector) == true, "\(vector.name)")
      #expect(Self.verifyCells(vector) == true, "\(vector.name)")
    }
  }

  @Test func refusesWrongOnes() throws {
    let one = try #require(Self.vectors.first { $0.name == "1" })
    let two = try #require(Self.vectors.first { $0.name == "2" })
    func refuses(_ name: String, cellsOnly: Bool? = nil, _ change: (inout Vector) -> Void) {
      var vector = one
      change(&vector)
      if cellsOnly != true { #expect(Self.verify(vector) == false, "\(name)") }
      if cellsOnly != false { #expect(Self.verifyCells(vector) == false, "\(name), cells") }
    }
    refuses("a bit of the first value") { $0.blob[31] ^= 1 }
    refuses("a bit of the last value") { $0.blob[131_071] ^= 1 }
    refuses("another blob") { $0.blob = two.blob }
    refuses("another commitment") { $0.commitment = two.commitment }
    refuses("a value that is none") {
      for index in 64..<96 { $0.blob[index] = 0xFF }
    }
    refuses("a commitment off the curve") { $0.commitment[47] ^= 1 }
    refuses("no point at all") {
      for index in 0..<48 {
        $0.commitment[index] = 0
      }
    }
    refuses("another proof", cellsOnly: false) { $0.proof = two.proof }
    refuses("the proof at infinity", cellsOnly: false) {
      $0.proof = [0xC0] + [UInt8](repeating: 0, count: 47)
    }
    for cell in [0, 63, 64, 127] {
      refuses("another proof of cell \(cell)", cellsOnly: true) {
        $0.cells.replaceSubrange(
          cell * 48..<cell * 48 + 48, with: two.cells[cell * 48..<cell * 48 + 48])
      }
    }
    refuses("proofs in another order", cellsOnly: true) {
      let first = Array($0.cells[0..<48])
      $0.cells.replaceSubrange(0..<48, with: Array($0.cells[48..<96]))
      $0.cells.replaceSubrange(48..<96, with: first)
    }
  }

  @Test func saysThatTheMemoryIsTooSmall() throws {
    let one = try #require(Self.vectors.first { $0.name == "1" })
    for bytes in [0, 1000, 140_000, 400_000] {
      #expect(Self.verify(one, scratch: bytes) == nil, "\(bytes)")
      #expect(Self.verifyCells(one, scratch: min(bytes, 300_000)) == nil, "\(bytes)")
    }
  }
}
