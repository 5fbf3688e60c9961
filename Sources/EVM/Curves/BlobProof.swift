/// Proofs that blobs belong to their commitments: one for a whole blob (EIP-4844), or one for each of the
/// 128 cells of its extension (EIP-7594).
///
/// A blob is the values of a polynomial of degree below 4,096 at the 4,096th roots of unity, in the order
/// of their numbers' reversed bits. A cell has 64 values, at the roots of `X^64 - g^k` for the 128th root
/// of unity `g` and `k` the cell's number with its seven bits reversed.
package enum BlobProof {
  /// Values of a blob, and bytes of one.
  package static var elements: Int { 4096 }
  /// Bytes of a blob.
  package static var blobBytes: Int { elements &* 32 }
  /// Cells of a blob's extension, each with a proof.
  package static var cells: Int { 128 }
  /// Values of a cell.
  static var cellElements: Int { 64 }
  /// Bytes of a commitment and of a proof.
  package static var pointBytes: Int { 48 }
  /// Memory that every check has room in.
  package static var scratchBytes: Int { 4 << 20 }

  typealias Fr = BLS12381.Fr

  /// Whether a proof shows that a blob is the commitment's (`verify_blob_kzg_proof` of the consensus
  /// specifications, Deneb). False also for what is no blob or no point; `nil` when the arena is too
  /// small.
  package static func verify(
    blob: UnsafePointer<UInt8>, commitment: UnsafePointer<UInt8>, proof: UnsafePointer<UInt8>,
    scratch: inout Arena
  ) -> Bool? {
    let used = scratch.used
    defer { scratch.used = used }
    guard let values = scratch.allocate(Fr.self, count: elements),
      let roots = scratch.allocate(Fr.self, count: elements),
      let products = scratch.allocate(Fr.self, count: elements),
      let text = scratch.allocate(UInt8.self, count: 32 &+ blobBytes &+ pointBytes)
    else { return nil }
    guard read(blob, into: values), let point = BLS12381.decodeCompressedG1(commitment),
      let proof = BLS12381.decodeCompressedG1(proof)
    else { return false }
    let z = challenge(blob, commitment, text)
    fillRoots(roots)
    let y = evaluate(values, roots, at: z, products)
    scratch.used = used
    return KZG.verify(
      commitment: point, z: z.canonical, y: y.canonical, proof: proof, scratch: &scratch)
  }

  /// Reads a blob's values; false when one is not below the group order.
  static func read(_ blob: UnsafePointer<UInt8>, into values: UnsafeMutablePointer<Fr>) -> Bool {
    var index = 0
    while index < elements {
      guard let value = Fr(bigEndian: blob + index &* 32) else { return false }
      (values + index).initialize(to: value)
      index &+= 1
    }
    return true
  }

  /// The point that follows from a blob and its commitment (Fiat and Shamir).
  private static func challenge(
    _ blob: UnsafePointer<UInt8>, _ commitment: UnsafePointer<UInt8>,
    _ text: UnsafeMutablePointer<UInt8>
  ) -> Fr {
    // "FSBLOBVERIFY_V1_", then the number of values in 16 bytes.
    UInt256(
      UInt64(elements), 0, 0x5249_4659_5f56_315f, 0x4653_424c_4f42_5645
    ).store(bigEndian: text)
    UnsafeMutableRawPointer(text + 32).copyMemory(from: blob, byteCount: blobBytes)
    UnsafeMutableRawPointer(text + 32 + blobBytes).copyMemory(
      from: commitment, byteCount: pointBytes)
    let hash = SHA256.hash(UnsafeRawPointer(text), count: 32 &+ blobBytes &+ pointBytes)
    return Fr(reducing: hash.word)
  }

  /// A root of unity of the order 4,096: 7 to (r - 1) / 4096, as the consensus specifications take it.
  static var root: Fr {
    Fr(
      reducing: UInt256(
        0xe206_da11_a5d3_6306, 0x0ad1_347b_378f_bf96, 0xfc3e_8acf_e0f8_245f,
        0x564c_0a11_a0f7_04f4))
  }

  /// The number whose twelve bits are those of another in the opposite order.
  @inline(__always)
  static func reversed(_ number: Int, bits: Int) -> Int {
    var result = 0
    var index = 0
    while index < bits {
      result = result << 1 | (number >> index & 1)
      index &+= 1
    }
    return result
  }

  /// The roots of unity in the order of a blob's values.
  private static func fillRoots(_ roots: UnsafeMutablePointer<Fr>) {
    var power = Fr.one
    var number = 0
    while number < elements {
      (roots + reversed(number, bits: 12)).initialize(to: power)
      power = power * root
      number &+= 1
    }
  }

  /// The polynomial with these values at the roots, at another point:
  /// `(z^n - 1) / n · Σ value · root / (z - root)`. `products` has room for as many.
  private static func evaluate(
    _ values: UnsafePointer<Fr>, _ roots: UnsafePointer<Fr>, at z: Fr,
    _ products: UnsafeMutablePointer<Fr>
  ) -> Fr {
    // One inversion for all: the products of all differences so far.
    var product = Fr.one
    var index = 0
    while index < elements {
      let difference = z - roots[index]
      if difference.isZero { return values[index] }
      (products + index).initialize(to: product)
      product = product * difference
      index &+= 1
    }
    var inverse = product.inverse
    var sum = Fr.zero
    while index > 0 {
      index &-= 1
      sum = sum + values[index] * roots[index] * (inverse * products[index])
      inverse = inverse * (z - roots[index])
    }
    var power = z
    var step = 0
    while step < 12 {
      power = power.squared
      step &+= 1
    }
    return sum * (power - .one) * Fr(reducing: UInt256(UInt64(elements))).inverse
  }
}
