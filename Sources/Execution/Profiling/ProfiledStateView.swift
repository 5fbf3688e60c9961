import EVM

/// A view whose answers are timed: what `ForeignStateView` needs for its context.
struct ProfiledStateView {
  var inner: ForeignStateView
  let recorder: UnsafeMutablePointer<ProfileRecorder>

  /// The view over a context, which must outlive it.
  static func view(over context: UnsafeMutablePointer<ProfiledStateView>) -> ForeignStateView {
    ForeignStateView(
      context: UnsafeMutableRawPointer(context),
      account: { context, address, record in
        ProfiledStateView.timed(context) {
          $0.readAccount(
            address.assumingMemoryBound(to: Address.self).pointee,
            into: &record.assumingMemoryBound(to: AccountRecord.self).pointee)
        }
      },
      storage: { context, address, place, slot, record in
        ProfiledStateView.timed(context) {
          $0.readStorage(
            address.assumingMemoryBound(to: Address.self).pointee, place: place,
            slot: slot.assumingMemoryBound(to: UInt256.self).pointee,
            into: &record.assumingMemoryBound(to: StorageRecord.self).pointee)
        }
      },
      code: { context, hash, address, place, code in
        ProfiledStateView.timed(context) {
          $0.readCode(
            hash.assumingMemoryBound(to: Hash256.self).pointee,
            of: address.assumingMemoryBound(to: Address.self).pointee, place: place,
            into: &code.assumingMemoryBound(to: Code.self).pointee)
        }
      },
      blockHash: { context, number, hash in
        ProfiledStateView.timed(context) {
          $0.readBlockHash(number, into: &hash.assumingMemoryBound(to: Hash256.self).pointee)
        }
      })
  }

  private static func timed(
    _ context: UnsafeMutableRawPointer, _ read: (inout ForeignStateView) -> Bool
  ) -> Bool {
    let view = context.assumingMemoryBound(to: ProfiledStateView.self)
    let before = view.pointee.recorder.pointee.enter(.database)
    defer { view.pointee.recorder.pointee.resume(before) }
    return read(&view.pointee.inner)
  }
}
