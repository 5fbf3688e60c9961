import EVM
package import Ethereum

extension ChainRules {
  /// The access list that came with a block, when its header names it and it is well formed.
  func accessList(_ bytes: [UInt8], of block: Block) throws(BlockError) -> BlockAccessList {
    let hash = Keccak256.hash(bytes)
    guard block.header.blockAccessListHash == hash else {
      throw .field(
        .invalidAccessList, "blockAccessListHash",
        expected: block.header.blockAccessListHash ?? .zero, got: hash)
    }
    let list: BlockAccessList
    do throws(FormatError) {
      list = try BlockAccessList(decoding: bytes)
    } catch {
      throw BlockError(.invalidAccessList, error.within("blockAccessList").description)
    }
    try validate(itemsOf: list, header: block.header)
    if let difference = list.firstIndex(above: UInt32(block.transactions.count + 1)) {
      throw BlockError(.invalidAccessList, "blockAccessList: \(difference)")
    }
    return list
  }

  /// Compares what execution gave, `nil` before Amsterdam, with the header. `received` is the list that
  /// came with the block: it has been compared already.
  package func validate(
    _ list: BlockAccessList?, received: BlockAccessList?, header: BlockHeader
  ) throws(BlockError) {
    guard let list, received == nil else { return }
    try validate(itemsOf: list, header: header)
    let hash = list.hash
    guard header.blockAccessListHash == hash else {
      throw .field(
        .invalidAccessList, "blockAccessListHash", expected: header.blockAccessListHash ?? .zero,
        got: hash)
    }
  }

  private func validate(itemsOf list: BlockAccessList, header: BlockHeader) throws(BlockError) {
    let most = header.gasLimit / BlockAccessList.itemGas
    guard UInt64(list.itemCount) <= most else {
      throw BlockError(
        .accessListTooLong,
        "blockAccessList: \(list.itemCount) accounts and slots are more than the \(most) that a "
          + "gas limit of \(header.gasLimit) allows")
    }
  }
}

extension BlockAccessList {
  /// A value at an index above the last one that the block has.
  func firstIndex(above most: UInt32) -> AccessListDifference? {
    for account in accounts.indices {
      var highest: UInt32 = 0
      for slot in slotRange(account) {
        for change in changeRange(slot) { highest = max(highest, slotChanges[change].index) }
      }
      for change in balanceRange(account) { highest = max(highest, balances[change].index) }
      for change in nonceRange(account) { highest = max(highest, nonces[change].index) }
      for change in codeRange(account) { highest = max(highest, codes[change].index) }
      if highest > most {
        return AccessListDifference(
          .extra, accounts[account].address, index: highest, "the block's last index is \(most)")
      }
    }
    return nil
  }
}
