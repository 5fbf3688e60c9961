/// What storing took since a database was opened.
package struct StoreTotals: Sendable {
  /// Transactions of the database.
  package var transactions = 0
  /// Blocks that were stored.
  package var blocks = 0
  /// Changing pages, and waiting for roots.
  package var writing = Duration.zero
  /// Forcing them to the disk.
  package var committing = Duration.zero

  /// Nothing was stored.
  package init() {}
}
