/// Every method that a port may have, one a line: `name(parameter: kind, optional?: kind) -> kind` and
/// what it is for. Requests are checked against it before a method runs, and `rpc.discover` is written
/// from it, so that the two can not differ; a test compares its names with the implementations.
///
/// The kinds are those of `ValueKind`.
enum MethodTable {
  static let signatures: [String: MethodSignature] = {
    var all: [String: MethodSignature] = [:]
    for line in text.split(separator: "\n") where !line.isEmpty {
      guard let read = MethodSignature(line: String(line)) else {
        preconditionFailure("the table of methods: \(line)")
      }
      for name in names(read.name) {
        precondition(all[name] == nil, "\(name) stands twice in the table")
        var signature = read
        signature.name = name
        all[name] = signature
      }
    }
    return all
  }()

  /// `{a,b}_name` is a_name and b_name.
  private static func names(_ name: String) -> [String] {
    guard name.hasPrefix("{"), let end = name.firstIndex(of: "}") else { return [name] }
    let rest = name[name.index(after: end)...]
    return name.dropFirst().prefix { $0 != "}" }.split(separator: ",").map { String($0) + rest }
  }

  private static let text = chain + state + transactions + debug + engine + development

  private static let chain = """
    web3_clientVersion() -> text | The node's name and version.
    web3_sha3(data: bytes) -> hash | Keccak-256 of the data.
    net_version() -> text | The chain's number in decimal digits.
    net_listening() -> boolean | Whether the node listens.
    net_peerCount() -> quantity | Peers: none.
    rpc_modules() -> object | The namespaces.
    rpc.discover() -> object | This description.
    eth_protocolVersion() -> any | The version of the wire protocol.
    eth_chainId() -> quantity | The chain's number.
    eth_coinbase() -> address | Who gets the fees of the blocks that the node makes.
    eth_syncing() -> any | False, or how far the node has come.
    eth_mining() -> boolean | Whether the node makes blocks by work.
    eth_accounts() -> list | The accounts whose keys the node holds.
    eth_blockNumber() -> quantity | The number of the head.
    eth_config() -> object | Forks, blob schedules and system contracts (EIP-7910).
    eth_capabilities() -> object | How far back blocks, states and logs can be asked for.
    eth_getBlockByNumber(block: block, full?: boolean) -> any | A block, with transactions or their hashes.
    eth_getBlockByHash(hash: hash, full?: boolean) -> any | A block, with transactions or their hashes.
    eth_getHeaderByNumber(block: block) -> any | A header.
    eth_getHeaderByHash(hash: hash) -> any | A header.
    eth_getBlockTransactionCountByNumber(block: block) -> any | How many transactions a block has.
    eth_getBlockTransactionCountByHash(hash: hash) -> any | How many transactions a block has.
    eth_getUncleCountByBlockNumber(block: block) -> any | How many ommers a block has.
    eth_getUncleCountByBlockHash(hash: hash) -> any | How many ommers a block has.
    eth_getUncleByBlockNumberAndIndex(block: block, index: quantity) -> any | An ommer.
    eth_getUncleByBlockHashAndIndex(hash: hash, index: quantity) -> any | An ommer.
    eth_getBlockReceipts(block: block) -> any | The receipts of a block.
    eth_gasPrice() -> quantity | What a legacy transaction should offer, in wei.
    eth_maxPriorityFeePerGas() -> quantity | What a transaction should offer above the base fee, in wei.
    eth_baseFee() -> quantity | The base fee of the next block, in wei.
    eth_blobBaseFee() -> quantity | Wei for each gas of blobs in the next block.
    eth_feeHistory(count: quantity, newest: block, percentiles?: list) -> object | Base fees, use and tips of past blocks.
    eth_getLogs(filter: filter) -> list | The logs that a filter lets through.
    eth_newFilter(filter?: filter) -> text | Remembers a filter for logs.
    eth_newBlockFilter() -> text | Remembers where the chain is, for its new blocks.
    eth_newPendingTransactionFilter(full?: boolean) -> text | Remembers what waits, for what comes.
    eth_uninstallFilter(id: text) -> boolean | Forgets a filter.
    eth_getFilterChanges(id: text) -> list | What came since the last time.
    eth_getFilterLogs(id: text) -> list | All logs that a filter lets through.
    eth_subscribe(subject: text, options?: any) -> text | Begins a subscription of a WebSocket connection.
    eth_unsubscribe(id: text) -> boolean | Ends it.

    """

  private static let state = """
    eth_getBalance(address: address, block?: block) -> quantity | The balance, in wei.
    eth_getTransactionCount(address: address, block?: block) -> quantity | The nonce.
    eth_getCode(address: address, block?: block) -> bytes | The code.
    eth_getStorageAt(address: address, slot: slot, block?: block) -> hash | The value of a slot.
    eth_getStorageValues(slots: object, block?: block) -> object | The values of slots of several accounts.
    eth_getProof(address: address, slots: list, block?: block) -> object | An account and slots with Merkle proofs (EIP-1186).
    eth_call(transaction: call, block?: block, state?: object, header?: object) -> bytes | What a call returns.
    eth_estimateGas(transaction: call, block?: block, state?: object, header?: object) -> quantity | The least gas with which a transaction succeeds.
    eth_createAccessList(transaction: call, block?: block, state?: object) -> object | The accounts and slots that a transaction accesses.
    eth_simulateV1(simulation: object, block?: block) -> list | Blocks of calls on each other, with all that blocks have.

    """

  private static let transactions = """
    eth_getTransactionByHash(hash: hash) -> any | A transaction.
    eth_getTransactionByBlockNumberAndIndex(block: block, index: quantity) -> any | A transaction.
    eth_getTransactionByBlockHashAndIndex(hash: hash, index: quantity) -> any | A transaction.
    eth_getRawTransactionByHash(hash: hash) -> bytes | A transaction in its own encoding.
    eth_getTransactionReceipt(hash: hash) -> any | What came of a transaction.
    eth_sendRawTransaction(transaction: bytes) -> hash | Takes a signed transaction.
    eth_sendRawTransactionSync(transaction: bytes, timeout?: quantity) -> object | Takes a signed transaction and waits for its receipt (EIP-7966).
    eth_sendTransaction(transaction: call) -> hash | Signs and takes a transaction of an account of the node.
    eth_signTransaction(transaction: call) -> object | Signs a transaction of an account of the node.
    eth_fillTransaction(transaction: call) -> object | Fills nonce, gas and fees in.
    eth_sign(address: address, message: bytes) -> bytes | Signs a message (EIP-191).
    {eth_signTypedData,eth_signTypedData_v4}(address: address, data: any) -> bytes | Signs structured data (EIP-712).
    personal_sign(message: bytes, address: address, password?: text) -> bytes | Signs a message (EIP-191).
    eth_pendingTransactions() -> list | The transactions that wait.
    txpool_status() -> object | How many transactions wait.
    txpool_content() -> object | The transactions that wait.
    txpool_contentFrom(address: address) -> object | The transactions of a sender that wait.
    txpool_inspect() -> object | The transactions that wait, in words.

    """

  private static let debug = """
    debug_getRawHeader(block: block) -> bytes | A header in RLP.
    debug_getRawBlock(block: block) -> bytes | A block in RLP.
    debug_getRawReceipts(block: block) -> list | Receipts in their encoding.
    debug_getRawTransaction(hash: hash) -> bytes | A transaction in its encoding.
    debug_traceTransaction(hash: hash, options?: object) -> any | Executes a transaction again and tells what it did.
    debug_traceBlockByNumber(block: block, options?: object) -> list | The same of all transactions of a block.
    debug_traceBlockByHash(hash: hash, options?: object) -> list | The same of all transactions of a block.
    debug_traceBlock(rlp: bytes, options?: object) -> list | The same of a block of the chain in RLP.
    debug_traceCall(transaction: call, block?: block, options?: object) -> any | Executes a call and tells what it did.
    debug_profileTransaction(hash: hash) -> object | Where a transaction's gas and time went.
    debug_profileBlockByNumber(block: block) -> object | Where a block's gas and time went.
    debug_profileBlockByHash(hash: hash) -> object | Where a block's gas and time went.

    """

  private static let engine = """
    engine_exchangeCapabilities(methods: list) -> list | The methods of this interface.
    engine_getClientVersionV1(client: object) -> list | The node's name and version.
    engine_newPayloadV1(payload: any) -> object | Executes a block of Paris.
    engine_newPayloadV2(payload: any) -> object | Executes a block of Shanghai.
    engine_newPayloadV3(payload: any, hashes?: any, root?: any) -> object | Executes a block of Cancun.
    engine_newPayloadV4(payload: any, hashes?: any, root?: any, requests?: any) -> object | Executes a block of Prague or Osaka.
    engine_forkchoiceUpdatedV1(state: any, attributes?: any) -> object | Sets the head.
    engine_forkchoiceUpdatedV2(state: any, attributes?: any) -> object | Sets the head.
    engine_forkchoiceUpdatedV3(state: any, attributes?: any) -> object | Sets the head.
    testing_buildBlockV1(parent: hash, attributes: any, transactions?: any, extraData?: any) -> object | Makes a block that is not in the chain.

    """

  private static let development = """
    evm_mine(options?: any) -> text | Makes a block; `options` is its time, or an object with blocks and timestamp.
    {anvil,hardhat}_mine(count?: quantity, secondsApart?: quantity) -> boolean | Makes blocks.
    {evm,anvil}_snapshot() -> quantity | A moment to come back to.
    {evm,anvil}_revert(id: quantity) -> boolean | Goes back to a moment, once.
    anvil_rollback(depth?: quantity) -> any | Takes blocks out of the chain.
    {anvil,hardhat}_reset(options?: any) -> boolean | Goes back to genesis.
    {evm,anvil}_increaseTime(seconds: quantity) -> any | Moves the clock of coming blocks ahead.
    {evm,anvil}_setTime(time: quantity) -> any | Sets the clock of coming blocks.
    {evm,anvil}_setNextBlockTimestamp(time: quantity) -> any | Sets the next block's time.
    anvil_setBlockTimestampInterval(seconds: quantity) -> any | Puts blocks so many seconds apart.
    anvil_removeBlockTimestampInterval() -> boolean | Blocks have the clock's time again.
    {evm,anvil}_setAutomine(flag: boolean) -> boolean | Whether blocks come with transactions.
    {evm,anvil}_setIntervalMining(milliseconds: quantity) -> boolean | Makes blocks by the clock.
    {anvil,hardhat}_getAutomine() -> boolean | Whether blocks come with transactions.
    anvil_getIntervalMining() -> any | Seconds between blocks.
    {anvil,hardhat}_setNextBlockBaseFeePerGas(fee: word) -> any | The next block's base fee.
    {anvil,hardhat}_dropTransaction(hash: hash) -> boolean | Forgets a transaction that waits.
    anvil_dropAllTransactions() -> any | Forgets all transactions that wait.
    anvil_removePoolTransactions(address: address) -> any | Forgets a sender's transactions that wait.
    {anvil,hardhat}_setBalance(address: address, wei: word) -> boolean | Sets a balance.
    evm_setAccountBalance(address: address, wei: word) -> boolean | Sets a balance.
    anvil_addBalance(address: address, wei: word) -> boolean | Adds to a balance.
    {anvil,hardhat}_setNonce(address: address, nonce: quantity) -> boolean | Sets a nonce.
    evm_setAccountNonce(address: address, nonce: quantity) -> boolean | Sets a nonce.
    {anvil,hardhat}_setCode(address: address, code: bytes) -> boolean | Sets a code.
    evm_setAccountCode(address: address, code: bytes) -> boolean | Sets a code.
    {anvil,hardhat}_setStorageAt(address: address, slot: slot, value: slot) -> boolean | Sets a slot.
    evm_setAccountStorageAt(address: address, slot: slot, value: slot) -> boolean | Sets a slot.
    {anvil,hardhat}_impersonateAccount(address: address) -> boolean | Sends for an account without its key.
    {anvil,hardhat}_stopImpersonatingAccount(address: address) -> boolean | No more.
    anvil_autoImpersonateAccount(flag: boolean) -> boolean | Sends for every account without its key.
    {anvil,hardhat}_setCoinbase(address: address) -> boolean | Who gets the fees.
    {anvil,hardhat}_setPrevRandao(value: hash) -> boolean | The next block's randomness.
    {anvil,hardhat}_dumpState(history?: boolean) -> bytes | The state, as Foundry's tools keep it.
    {anvil,hardhat}_loadState(state: bytes) -> boolean | Sets the accounts of such a state.
    {evm,anvil}_setBlockGasLimit(gas: quantity) -> boolean | The gas limit that blocks move towards.
    anvil_nodeInfo() -> object | The head, the fork and the fees.
    {anvil,hardhat}_metadata() -> object | The node and the head.
    """
}

/// A method's name, parameters and result.
struct MethodSignature: Sendable {
  struct Parameter: Sendable {
    var name: String
    var kind: ValueKind
    var isRequired: Bool
  }

  var name: String
  var parameters: [Parameter]
  var result: ValueKind
  var summary: String
}
