extension BlobProof {
  /// Bytes of the ceremony's points as `readCeremony` takes them: 64 of G1 in 48 bytes each, and one of G2
  /// as EIP-2537 has it.
  package static var ceremonyInputBytes: Int { cellElements &* pointBytes &+ 256 }
  /// Bytes of memory for them.
  package static var ceremonyBytes: Int {
    MemoryLayout<BLS12381.G2Affine>.stride
      &+ cellElements &* MemoryLayout<BLS12381.G1Affine>.stride
  }

  /// Reads the points of the ceremony of EIP-4844 that cells need: `[tau^i] G1` for i below 64 and
  /// `[tau^64] G2`. False when they are no points of the groups.
  package static func readCeremony(
    _ bytes: UnsafePointer<UInt8>, into memory: UnsafeMutableRawPointer
  ) -> Bool {
    let last = memory.bindMemory(to: BLS12381.G2Affine.self, capacity: 1)
    guard let point = BLS12381.decodeG2(bytes + cellElements &* pointBytes),
      BLS12381.isInSubgroup(point)
    else { return false }
    last.initialize(to: point)
    let powers = (memory + MemoryLayout<BLS12381.G2Affine>.stride)
      .bindMemory(to: BLS12381.G1Affine.self, capacity: cellElements)
    var index = 0
    while index < cellElements {
      guard let point = BLS12381.decodeCompressedG1(bytes + index &* pointBytes) else {
        return false
      }
      (powers + index).initialize(to: point)
      index &+= 1
    }
    return true
  }

  /// Whether 128 proofs show that the cells of a blob's extension are the commitment's, and so the blob is
  /// (`verify_cell_kzg_proof_batch` of the consensus specifications, Fulu, for all cells of one blob).
  /// False also for what is no blob or no point; `nil` when the arena is too small.
  ///
  /// For each cell, with the polynomial `I` of degree below 64 that has its values,
  /// `e(C - [I] + g^k π, G2) = e(π, [tau^64] G2)`: the sums over all cells are compared, each times a
  /// power of a number that follows from all that was given. `I` is what is left of the blob's polynomial
  /// modulo `X^64 - g^k`, so that the sum of all `I` takes one pass over its coefficients.
  package static func verifyCells(
    blob: UnsafePointer<UInt8>, commitment: UnsafePointer<UInt8>, proofs: UnsafePointer<UInt8>,
    ceremony: UnsafeRawPointer, scratch: inout Arena
  ) -> Bool? {
    let used = scratch.used
    defer { scratch.used = used }
    guard let values = scratch.allocate(Fr.self, count: elements),
      let weights = scratch.allocate(Fr.self, count: cells),
      let points = scratch.allocate(BLS12381.G1Affine.self, count: cells),
      let text = scratch.allocate(
        UInt8.self, count: blobBytes &+ pointBytes &+ cells &* pointBytes)
    else { return nil }
    guard read(blob, into: values), let sum = BLS12381.decodeCompressedG1(commitment) else {
      return false
    }
    var index = 0
    while index < cells {
      guard let point = BLS12381.decodeCompressedG1(proofs + index &* pointBytes) else {
        return false
      }
      (points + index).initialize(to: point)
      index &+= 1
    }
    UnsafeMutableRawPointer(text).copyMemory(from: blob, byteCount: blobBytes)
    UnsafeMutableRawPointer(text + blobBytes).copyMemory(
      from: commitment, byteCount: pointBytes)
    UnsafeMutableRawPointer(text + blobBytes + pointBytes).copyMemory(
      from: proofs, byteCount: cells &* pointBytes)
    let hash = SHA256.hash(
      UnsafeRawPointer(text), count: blobBytes &+ pointBytes &+ cells &* pointBytes)
    let step = Fr(reducing: hash.word)
    var weight = Fr.one
    index = 0
    while index < cells {
      (weights + index).initialize(to: weight)
      weight = weight * step
      index &+= 1
    }
    interpolate(values)
    return compare(sum, points, weights, values, ceremony, scratch: &scratch)
  }

  /// Turns a blob's values into the coefficients of its polynomial (Cooley and Tukey's transform, for which
  /// the values are in the right order).
  private static func interpolate(_ values: UnsafeMutablePointer<Fr>) {
    let inverseRoot = root.inverse
    var half = 1
    var level = 12
    while half < elements {
      level &-= 1
      // A root of the order twice the half.
      var step = inverseRoot
      var squarings = 0
      while squarings < level {
        step = step.squared
        squarings &+= 1
      }
      var factor = Fr.one
      var offset = 0
      while offset < half {
        var first = offset
        while first < elements {
          let second = values[first &+ half] * factor
          values[first &+ half] = values[first] - second
          values[first] = values[first] + second
          first &+= half &* 2
        }
        factor = factor * step
        offset &+= 1
      }
      half &*= 2
    }
    let scale = Fr(reducing: UInt256(UInt64(elements))).inverse
    var index = 0
    while index < elements {
      values[index] = values[index] * scale
      index &+= 1
    }
  }

  private static func compare(
    _ commitment: BLS12381.G1Affine, _ proofs: UnsafePointer<BLS12381.G1Affine>,
    _ weights: UnsafePointer<Fr>, _ coefficients: UnsafePointer<Fr>, _ ceremony: UnsafeRawPointer,
    scratch: inout Arena
  ) -> Bool? {
    let last = ceremony.assumingMemoryBound(to: BLS12381.G2Affine.self)
    let powers = (ceremony + MemoryLayout<BLS12381.G2Affine>.stride)
      .assumingMemoryBound(to: BLS12381.G1Affine.self)
    guard
      var left = BLS12381MultiScalarSum<BLS12381Fp>(capacity: cells, scratch: &scratch),
      var right = BLS12381MultiScalarSum<BLS12381Fp>(
        capacity: cells &+ cellElements &+ 1, scratch: &scratch),
      let shifts = scratch.allocate(Fr.self, count: cells),
      let factors = scratch.allocate(Fr.self, count: cells),
      let sums = scratch.allocate(Fr.self, count: cellElements)
    else { return nil }
    fillShifts(shifts)
    var all = Fr.zero
    var index = 0
    while index < cells {
      all = all + weights[index]
      (factors + index).initialize(to: weights[index])
      left.append(proofs[index], times: weights[index].canonical)
      right.append(proofs[index], times: (weights[index] * shifts[index]).canonical)
      index &+= 1
    }
    right.append(commitment, times: all.canonical)
    sumRemainders(coefficients, factors, shifts, into: sums)
    index = 0
    while index < cellElements {
      right.append(powers[index], times: (-sums[index]).canonical)
      index &+= 1
    }
    guard let proofSum = left.result(scratch: &scratch)?.affine,
      let rest = right.result(scratch: &scratch)?.affine,
      let pairs = scratch.allocate(BLS12381MillerPair.self, count: 2)
    else { return nil }
    var count = 0
    if !proofSum.isInfinity {
      pairs[count] = BLS12381MillerPair(p: -proofSum, q: last.pointee)
      count &+= 1
    }
    if !rest.isInfinity {
      pairs[count] = BLS12381MillerPair(p: rest, q: BLS12381.g2Generator)
      count &+= 1
    }
    return BLS12381.finalExponentiation(BLS12381.millerLoop(pairs, count: count)) == .one
  }

  /// `g^k` of each cell.
  private static func fillShifts(_ shifts: UnsafeMutablePointer<Fr>) {
    // The 32nd power of a root of the order 4,096 has the order 128.
    let base = root.squared.squared.squared.squared.squared
    var power = Fr.one
    var number = 0
    while number < cells {
      (shifts + reversed(number, bits: 7)).initialize(to: power)
      power = power * base
      number &+= 1
    }
  }

  /// The sum of what is left of the polynomial for each cell, each times its weight, which is in `factors`
  /// at first: 64 coefficients.
  private static func sumRemainders(
    _ coefficients: UnsafePointer<Fr>, _ factors: UnsafeMutablePointer<Fr>,
    _ shifts: UnsafePointer<Fr>, into sums: UnsafeMutablePointer<Fr>
  ) {
    var index = 0
    while index < cellElements {
      (sums + index).initialize(to: .zero)
      index &+= 1
    }
    // The coefficient of X^(64 m + i) goes to X^i, times g^(k m).
    var row = 0
    while row < elements / cellElements {
      var factor = Fr.zero
      var cell = 0
      while cell < cells {
        factor = factor + factors[cell]
        factors[cell] = factors[cell] * shifts[cell]
        cell &+= 1
      }
      index = 0
      while index < cellElements {
        sums[index] = sums[index] + coefficients[row &* cellElements &+ index] * factor
        index &+= 1
      }
      row &+= 1
    }
  }
}
