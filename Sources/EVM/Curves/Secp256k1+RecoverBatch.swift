extension Secp256k1 {
  /// The addresses that signed many hashes: `recover` for each row of the columns.
  ///
  /// Rows share two modular inversions in groups of 32 (Montgomery's trick), which saves about two
  /// microseconds a row.
  ///
  /// - Parameters:
  ///   - count: the rows; every column has at least as many elements.
  ///   - hashes: the signed hashes.
  ///   - r: the signatures' first halves.
  ///   - s: the second halves, high ones included.
  ///   - yParities: the parities of the nonce points' y.
  ///   - signers: receives the addresses, zero where there is none.
  ///   - isSigned: receives whether there is one.
  public static func recoverBatch(
    count: Int, hashes: UnsafePointer<Hash256>, r: UnsafePointer<UInt256>,
    s: UnsafePointer<UInt256>, yParities: UnsafePointer<UInt8>,
    signers: UnsafeMutablePointer<Address>, isSigned: UnsafeMutablePointer<Bool>
  ) {
    var start = 0
    while start < count {
      var keys = KeyGroup(count: min(count &- start, KeyGroup.capacity))
      keys.recover(hashes: hashes + start, r: r + start, s: s + start, yParities: yParities + start)
      keys.forEach { row, x, y in
        isSigned[start &+ row] = true
        signers[start &+ row] = address(x: x, y: y)
      } none: { row in
        isSigned[start &+ row] = false
        signers[start &+ row] = .zero
      }
      start &+= KeyGroup.capacity
    }
  }

  /// The public keys that signed many hashes: as `recoverBatch`, with `keys` in place of addresses.
  public static func recoverKeysBatch(
    count: Int, hashes: UnsafePointer<Hash256>, r: UnsafePointer<UInt256>,
    s: UnsafePointer<UInt256>, yParities: UnsafePointer<UInt8>,
    keys: UnsafeMutablePointer<(x: UInt256, y: UInt256)>, isSigned: UnsafeMutablePointer<Bool>
  ) {
    var start = 0
    while start < count {
      var group = KeyGroup(count: min(count &- start, KeyGroup.capacity))
      group.recover(
        hashes: hashes + start, r: r + start, s: s + start, yParities: yParities + start)
      group.forEach { row, x, y in
        isSigned[start &+ row] = true
        keys[start &+ row] = (x, y)
      } none: { row in
        isSigned[start &+ row] = false
        keys[start &+ row] = (.zero, .zero)
      }
      start &+= KeyGroup.capacity
    }
  }

  /// Up to 32 public keys on their way through a batch: about 5 KB.
  ///
  /// Indexes stay below `count`, which is at most `capacity`.
  private struct KeyGroup {
    static var capacity: Int { 32 }

    let count: Int
    private var points = InlineArray<32, Secp256k1JacobianPoint>(repeating: .infinity)

    init(count: Int) {
      self.count = count
    }

    /// Finds the keys, at infinity where there is none.
    mutating func recover(
      hashes: UnsafePointer<Hash256>, r: UnsafePointer<UInt256>, s: UnsafePointer<UInt256>,
      yParities: UnsafePointer<UInt8>
    ) {
      // Products of all r before a row; a row out of range counts as one.
      var products = InlineArray<32, Secp256k1Scalar>(repeating: .one)
      var product = Secp256k1Scalar.one
      var row = 0
      while row < count {
        products[unchecked: row] = product
        if Secp256k1.isInRange(r[row]) { product = product * Secp256k1Scalar(reducing: r[row]) }
        row &+= 1
      }
      // The inverse of the product of all r up to a row, from the last row to the first.
      var inverse = product.inverseInVariableTime
      while row > 0 {
        row &-= 1
        if !Secp256k1.isInRange(r[row]) { continue }
        points[unchecked: row] = Secp256k1.keyPoint(
          hash: hashes[row], r: r[row], s: s[row], yParity: yParities[row],
          inverse: inverse * products[unchecked: row])
        inverse = inverse * Secp256k1Scalar(reducing: r[row])
      }
    }

    /// Calls `body` with each key's row, x and y, and `none` with the rows that have none.
    @inline(__always)
    func forEach(_ body: (Int, UInt256, UInt256) -> Void, none: (Int) -> Void) {
      var products = InlineArray<32, Secp256k1Field>(repeating: .one)
      var product = Secp256k1Field.one
      var row = 0
      while row < count {
        products[unchecked: row] = product
        if !points[unchecked: row].isInfinity { product = product * points[unchecked: row].z }
        row &+= 1
      }
      var inverse = product.inverseInVariableTime
      while row > 0 {
        row &-= 1
        let point = points[unchecked: row]
        if point.isInfinity {
          none(row)
          continue
        }
        let key = point.affine(inverseZ: inverse * products[unchecked: row])
        body(row, key.x.canonical, key.y.canonical)
        inverse = inverse * point.z
      }
    }
  }
}
