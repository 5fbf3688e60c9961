// What adds to the state, in bytes, and the price of a byte (EIP-8037).
extension StateGas {
  /// A new account.
  package static var account: Int64 { 112 }
  /// A storage slot that was zero.
  package static var slot: Int64 { 32 }
  /// A delegation (EIP-7702).
  package static var delegation: Int64 { 23 }

  /// Gas for each byte: so much that blocks half full of nothing else add 100 GiB a year, rounded to
  /// five binary digits after an offset. Zero before Amsterdam. `gasLimit` is the block's.
  package static func perByte(_ fork: Fork, gasLimit: UInt64) -> Int64 {
    if fork < .amsterdam { return 0 }
    // gasLimit * 2,628,000 blocks a year / (2 * 100 * 2^30), rounded up; the fraction is reduced.
    let product = gasLimit.multipliedFullWidth(by: 3285)
    let raw = product.high &<< 36 | product.low &>> 28
    let offset: UInt64 = 9578
    // At most 2^48, as the product is less than 2^76.
    let shifted = raw &+ (product.low & (1 << 28 - 1) == 0 ? 0 : 1) &+ offset
    let excess = UInt64(max(64 &- shifted.leadingZeroBitCount &- 5, 0))
    return max(Int64((shifted &>> excess) &<< excess) &- Int64(offset), 1)
  }
}
