/// How far back states of blocks can be read.
public enum HistoryPolicy: Sendable, Equatable {
  /// To the first block.
  case full
  /// So many blocks before the head.
  case blocks(Int)
}
