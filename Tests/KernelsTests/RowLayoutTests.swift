import Testing

@testable import EVM
@testable import Kernels

/// How the rows of tables lie in memory.
@Suite struct RowLayoutTests {
  /// The compiler takes the fields of rows that end in a gap for bytes at any address: a device reads
  /// them one byte at a time (Documentation/Kernels.md).
  @Test func rowsEndWithoutAGap() {
    func hasGap<T>(_ type: T.Type) -> Bool { MemoryLayout<T>.size != MemoryLayout<T>.stride }
    #expect(!hasGap(StateTable.Account.self))
    #expect(!hasGap(StateTable.Slot.self))
    #expect(!hasGap(TransactionRow.self))
    #expect(!hasGap(TransactionOutcome.self))
    #expect(!hasGap(EnvironmentRow.self))
    #expect(!hasGap(AccountEntry.self))
    #expect(!hasGap(SlotEntry.self))
    #expect(!hasGap(UndoRecord.self))
    #expect(!hasGap(LogRecord.self))
    #expect(!hasGap(Frame.self))
    #expect(!hasGap(HashMemo.Entry.self))
    #expect(!hasGap(Instruction.self))
    // The test itself: this one has.
    #expect(hasGap(Address.self))
  }
}
