/// The tables of the database. Documentation/Storage.md has their keys and values.
enum Table: Int, CaseIterable {
  /// What the database as a whole is.
  case meta
  /// Accounts by the hash of their address.
  case accounts
  /// Slots by the hashes of address and slot.
  case slots
  /// Code by its hash.
  case codes
  /// Children of the upper nodes of the tries, by path.
  case nodes
  /// Headers by number.
  case headers
  /// Transactions, ommers and withdrawals by block number.
  case bodies
  /// Receipts by block number.
  case receipts
  /// Block numbers by block hash.
  case blockHashes
  /// Places of transactions by their hash.
  case transactionHashes
  /// What accounts and slots were before a block, by its number.
  case changes
  /// The blocks that changed an account.
  case accountHistory
  /// The blocks that changed a slot.
  case slotHistory

  static var names: [String] { allCases.map { "\($0)" } }
}
