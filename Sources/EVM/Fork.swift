/// A set of protocol rules, in order of activation on Ethereum's main network.
///
/// Rules ask `fork >= .london`. A fork that changes only block production or blob limits (the
/// difficulty bomb delays, BPO1 to BPO5) is a case too, so that names and rules stay one to one.
@frozen
public enum Fork: UInt8, BitwiseCopyable, Sendable {
  case frontier
  case homestead
  case daoFork
  case tangerineWhistle
  case spuriousDragon
  case byzantium
  case constantinople
  case petersburg
  case istanbul
  case muirGlacier
  case berlin
  case london
  case arrowGlacier
  case grayGlacier
  case paris
  case shanghai
  case cancun
  case prague
  case osaka
  case bpo1
  case bpo2
  case bpo3
  case bpo4
  case bpo5
  /// Experimental: the rules as the devnet tests of April 2026 have them. Its text still moves.
  case amsterdam
}

extension Fork: Comparable {
  @inlinable @inline(__always)
  public static func < (a: Fork, b: Fork) -> Bool { a.rawValue < b.rawValue }
}

#if !hasFeature(Embedded)
  // The list of cases is an array, which needs a heap.
  extension Fork: CaseIterable {}
#endif
