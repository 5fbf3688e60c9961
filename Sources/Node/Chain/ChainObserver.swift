package import Storage

/// Who is told what happens to the chain. On the chain's queue: what takes time goes elsewhere.
package protocol ChainObserver: AnyObject, Sendable {
  /// A block has become the head; it is durable.
  func headChanged(_ block: StoredBlock)
  /// The blocks after a number are about to be taken out.
  func willRewind(to number: UInt64, from snapshot: Snapshot)
  /// The chain has gone back to a block.
  func didRewind(to header: StoredHeader)
}

extension ChainObserver {
  package func willRewind(to number: UInt64, from snapshot: Snapshot) {}
  package func didRewind(to header: StoredHeader) {}
}
