public import EVM

/// A blockchain test: blocks on a genesis state (execution-spec-tests, "Blockchain Test
/// Fixtures", and the older form of ethereum/tests).
public struct BlockchainTest: Sendable {
  /// A block to import.
  public struct TestBlock: Hashable, Sendable {
    /// The block's RLP as it comes over the network; it may be malformed on purpose.
    public var rlp: [UInt8]
    /// Names of exceptions, one of which must be the reason of rejection; empty for a valid block.
    public var expectedExceptions: [String]
    /// Whether the block is valid as the test says: no exception, and a header that is described.
    public var isValid: Bool
    /// The hash of the header that the test describes; `nil` when it describes none.
    public var hash: Hash256?
    /// The access list that comes with the block, from Amsterdam on (EIP-7928).
    public var accessList: BlockAccessList?
    /// `blocknumber`, where an older test gives it.
    public var number: UInt64?
    /// `chainname`, where an older test gives it: blocks of side chains.
    public var chainName: String?
    /// `transactionSequence`: which of the block's transactions are invalid, where the test says.
    public var transactionSequence: [SequencedTransaction] = []
  }

  /// A transaction of a block as an older test lists it.
  public struct SequencedTransaction: Hashable, Sendable {
    /// The transaction's bytes; empty where they are not given.
    public var bytes: [UInt8] = []
    /// Whether it is valid.
    public var isValid = true
    /// The exception that rejects it; empty for a valid one.
    public var exception = ""
  }

  /// The end state: accounts, or only their root.
  public enum PostState: Hashable, Sendable {
    /// Every account.
    case accounts(Allocation)
    /// The state root.
    case root(Hash256)
  }

  /// The test's name.
  public var name: String
  /// The network's name, such as `Cancun` or `CancunToPragueAtTime15k`.
  public var network: String
  /// When its forks begin; `nil` for a network that is not known here.
  public var schedule: ForkSchedule?
  /// The blob limits.
  public var blobSchedule: BlobSchedule
  /// The first block's header.
  public var genesisHeader: BlockHeader
  /// The first block's hash, as the test gives it.
  public var genesisHash: Hash256?
  /// The first block's RLP; `nil` when the test has none.
  public var genesisRLP: [UInt8]?
  /// The accounts before the first block.
  public var pre: Allocation
  /// The blocks in the order of import.
  public var blocks: [TestBlock]
  /// What is expected after the last block.
  public var postState: PostState?
  /// The hash of the chain's head after the last block.
  public var lastBlockHash: Hash256
  /// `NoProof`, `Ethash` or nothing: whether proofs of work are to be checked.
  public var sealEngine: String
  /// `_info.description` or `_info.comment`; empty when there is none.
  public var comment: String
}
