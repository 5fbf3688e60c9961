import EVM
import Ethereum

/// Checks the proofs that come with blobs.
enum BlobChecker {
  /// Points that all checks share.
  private struct Ceremony: @unchecked Sendable {
    // Written once, then only read; never freed.
    let points: UnsafeRawPointer

    init() {
      let text = (BlobCeremonyPoints.powers + BlobCeremonyPoints.last).filter { $0 != "\n" }
      let memory = UnsafeMutableRawPointer.allocate(
        byteCount: BlobProof.ceremonyBytes, alignment: 64)
      guard let bytes = Hexadecimal.bytes(unprefixed: text),
        bytes.count == BlobProof.ceremonyInputBytes, BlobProof.readCeremony(bytes, into: memory)
      else { preconditionFailure("the ceremony's points are constants, and right") }
      points = UnsafeRawPointer(memory)
    }
  }

  private static let ceremony = Ceremony()

  /// Checks what came with a transaction's blobs; the reason why it is not right.
  static func check(_ sidecar: BlobSidecar.Contents) -> FormatError? {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: BlobProof.scratchBytes, alignment: 64)
    defer { memory.deallocate() }
    for index in sidecar.blobs.indices {
      var arena = Arena(base: memory, capacity: BlobProof.scratchBytes)
      let isRight =
        sidecar.hasCells
        ? BlobProof.verifyCells(
          blob: sidecar.blobs[index], commitment: sidecar.commitments[index],
          proofs: sidecar.proofs[index], ceremony: ceremony.points, scratch: &arena)
        : BlobProof.verify(
          blob: sidecar.blobs[index], commitment: sidecar.commitments[index],
          proof: sidecar.proofs[index], scratch: &arena)
      if isRight != true {
        return FormatError(
          .valueOutOfRange,
          "blob \(index) is not its commitment's: \(sidecar.hasCells ? "a cell's" : "the") proof does "
            + "not hold", field: "proofs")
      }
    }
    return nil
  }
}
