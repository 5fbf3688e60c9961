import EVM

#if !NEEDLETAIL_DEVICE
  /// A world behind C functions, for the host's machine.
  enum HostView {
    static func view(_ world: UnsafeMutablePointer<World>) -> ForeignStateView {
      ForeignStateView(
        context: UnsafeMutableRawPointer(world),
        account: { context, address, record in
          context.assumingMemoryBound(to: World.self).pointee.readAccount(
            address.assumingMemoryBound(to: Address.self).pointee,
            into: &record.assumingMemoryBound(to: AccountRecord.self).pointee)
        },
        storage: { context, _, place, slot, record in
          context.assumingMemoryBound(to: World.self).pointee.readStorage(
            place: place, slot: slot.assumingMemoryBound(to: UInt256.self).pointee,
            into: &record.assumingMemoryBound(to: StorageRecord.self).pointee)
        },
        code: { context, hash, _, place, code in
          context.assumingMemoryBound(to: World.self).pointee.readCode(
            hash.assumingMemoryBound(to: Hash256.self).pointee, place: place,
            into: &code.assumingMemoryBound(to: Code.self).pointee)
        },
        blockHash: { context, number, hash in
          context.assumingMemoryBound(to: World.self).pointee.readBlockHash(
            number, into: &hash.assumingMemoryBound(to: Hash256.self).pointee)
        })
    }
  }
#endif
