import EVM

extension StateLayer {
  /// This layer's changes and those of an earlier one that it was worked out on, as one layer.
  func merged(after earlier: StateLayer) -> StateLayer {
    var accounts: [Hash256: AccountChange] = [:]
    for change in earlier.accounts { accounts[change.key] = change }
    for change in self.accounts {
      var merged = change
      if let old = accounts[change.key] { merged.before = old.before }
      accounts[change.key] = merged
    }
    struct Place: Hashable {
      var account: Hash256
      var slot: Hash256
    }
    var slots: [Place: SlotChange] = [:]
    for change in earlier.slots {
      slots[Place(account: change.account, slot: change.slot)] = change
    }
    for change in self.slots {
      let place = Place(account: change.account, slot: change.slot)
      var merged = change
      if let old = slots[place] { merged.before = old.before }
      slots[place] = merged
    }
    return StateLayer(
      number: number, root: root, accounts: accounts.values.sorted { $0.key < $1.key },
      slots: slots.values.sorted {
        $0.account == $1.account ? $0.slot < $1.slot : $0.account < $1.account
      },
      codes: earlier.codes.merging(codes) { $1 }, nodes: nodes.merged(after: earlier.nodes))
  }
}
