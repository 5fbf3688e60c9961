import EVM
import Ethereum

extension ChainRules {
  /// Checks all of a header that its parent determines.
  func validate(_ header: BlockHeader, parent: BlockHeader, fork: Fork, parentFork: Fork)
    throws(BlockError)
  {
    guard parent.number < .max, header.number == parent.number + 1 else {
      throw .field(
        .invalidNumber, "number", expected: parent.number &+ 1, got: header.number)
    }
    guard header.timestamp > parent.timestamp else {
      throw BlockError(
        .invalidTimestamp,
        "timestamp: \(header.timestamp) is not after the parent's \(parent.timestamp)")
    }
    guard header.extraData.count <= 32 else {
      throw BlockError(
        .extraDataTooLong, "extraData: \(header.extraData.count) bytes are more than 32")
    }
    try validateGas(header, parent: parent, fork: fork, parentFork: parentFork)
    try validateFields(header, fork: fork)
    if fork >= .paris {
      guard header.difficulty.isZero, header.nonce == 0,
        header.ommersHash == BlockHeader.emptyOmmersHash
      else {
        throw BlockError(
          .invalidProofOfStakeFields,
          "difficulty, nonce and ommers are not zero and empty, as they are from Paris on")
      }
    } else {
      let expected = Difficulty.next(
        fork: fork, number: header.number, timestamp: header.timestamp,
        parentTimestamp: parent.timestamp, parentDifficulty: parent.difficulty,
        parentHasOmmers: parent.ommersHash != BlockHeader.emptyOmmersHash)
      guard header.difficulty == expected else {
        throw .field(
          .invalidDifficulty, "difficulty", expected: expected, got: header.difficulty)
      }
      try validateDAO(header)
    }
    if fork >= .cancun {
      let expected = excessBlobGas(parent: parent, fork: fork)
      guard header.excessBlobGas == expected else {
        throw .field(
          .invalidExcessBlobGas, "excessBlobGas", expected: expected,
          got: header.excessBlobGas ?? 0)
      }
    }
  }

  private func validateGas(
    _ header: BlockHeader, parent: BlockHeader, fork: Fork, parentFork: Fork
  ) throws(BlockError) {
    let isFirstLondon = fork >= .london && parentFork < .london
    // The first London block doubles the limit, so that the target stays (EIP-1559).
    let (doubled, overflow) = parent.gasLimit.multipliedReportingOverflow(by: 2)
    let reference = isFirstLondon && !overflow ? doubled : parent.gasLimit
    let distance =
      header.gasLimit > reference ? header.gasLimit - reference : reference - header.gasLimit
    guard distance < reference / Self.gasLimitBound, header.gasLimit >= Self.minimumGasLimit,
      header.gasLimit <= UInt64(Int64.max)
    else {
      throw BlockError(
        .invalidGasLimit,
        "gasLimit: \(header.gasLimit) is too far from \(reference), or below the minimum")
    }
    guard header.gasUsed <= header.gasLimit else {
      throw BlockError(
        .gasUsedAboveLimit, "gasUsed: \(header.gasUsed) is above the limit \(header.gasLimit)")
    }
    guard fork >= .london else { return }
    let expected =
      isFirstLondon
      ? BaseFee.initial
      : BaseFee.next(
        parentBaseFee: parent.baseFeePerGas ?? BaseFee.initial, gasLimit: parent.gasLimit,
        gasUsed: parent.gasUsed)
    guard header.baseFeePerGas == expected else {
      throw BlockError(
        .invalidBaseFee,
        "baseFeePerGas: expected \(expected), got \(header.baseFeePerGas?.description ?? "none")")
    }
  }

  /// Whether a header has just the fields of its fork.
  private func validateFields(_ header: BlockHeader, fork: Fork) throws(BlockError) {
    let fields: [(name: String, isPresent: Bool, since: Fork)] = [
      ("baseFeePerGas", header.baseFeePerGas != nil, .london),
      ("withdrawalsRoot", header.withdrawalsRoot != nil, .shanghai),
      ("blobGasUsed", header.blobGasUsed != nil, .cancun),
      ("excessBlobGas", header.excessBlobGas != nil, .cancun),
      ("parentBeaconBlockRoot", header.parentBeaconBlockRoot != nil, .cancun),
      ("requestsHash", header.requestsHash != nil, .prague),
      ("blockAccessListHash", header.blockAccessListHash != nil, .amsterdam),
      ("slotNumber", header.slotNumber != nil, .amsterdam),
    ]
    for field in fields where field.isPresent != (fork >= field.since) {
      throw BlockError(
        .unexpectedFields,
        "\(field.name): a header of \(fork.name) \(field.isPresent ? "has no" : "needs") such field"
      )
    }
  }

  /// The ten blocks from the DAO fork on carry a mark (EIP-779).
  private func validateDAO(_ header: BlockHeader) throws(BlockError) {
    guard case .block(let first)? = schedule[.daoFork],
      header.number >= first, header.number - first < 10
    else { return }
    guard header.extraData == [UInt8]("dao-hard-fork".utf8) else {
      throw BlockError(.invalidExtraData, "extraData: not dao-hard-fork")
    }
  }
}
