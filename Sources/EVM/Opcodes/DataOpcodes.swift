// Opcodes that read or copy bytes: KECCAK256, EXP, call data, code, return data, memory, logs.
// Contract: stack checked, static gas paid, registers in the frame's record.

extension Machine {
  /// EXP: 10 gas, and `exponentByte` for each byte of the exponent (EIP-160).
  mutating func exponentiate(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    let base = frame.pointee.word(0)
    let exponent = frame.pointee.word(1)
    let cost = Int64(exponent.byteWidth) &* schedule.exponentByte
    if !frame.pointee.charge(cost) { return exit(.outOfGas) }
    frame.pointee.replace(2, UInt256.power(base, exponent))
    return .next
  }

  /// KECCAK256 of a range of memory.
  mutating func keccak256(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    let status = keccak256(
      frame, frame.pointee.word(0), frame.pointee.word(1), frame.pointee.stack - 2)
    if status != .stopped { return exit(status) }
    frame.pointee.stack -= 1
    return .next
  }

  /// Puts the hash of a range of memory into `result`.
  mutating func keccak256(
    _ frame: UnsafeMutablePointer<Frame>, _ offset: UInt256, _ count: UInt256,
    _ result: UnsafeMutablePointer<UInt256>
  ) -> ExecutionStatus {
    if !frame.pointee.charge(wordCost(count, schedule.keccakWord)) { return .outOfGas }
    let status = expandMemory(frame, offset, count)
    if status != .stopped { return status }
    let start = count.isZero ? 0 : Int(offset.limb0)
    let first = UnsafePointer(frame.pointee.memory + start)
    if count.limb0 == 64 {
      workspace.hashes.hash(first, into: result)
      return .stopped
    }
    let bytes = UnsafeBufferPointer(start: first, count: Int(count.limb0))
    result.pointee = Keccak256.hash(bytes).word
    return .stopped
  }

  /// CALLDATALOAD: 32 bytes of the input, zero past its end.
  func callDataLoad(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    frame.pointee.replace(1, callDataWord(frame, frame.pointee.word(0)))
    return .next
  }

  /// 32 bytes of the input, zero past its end.
  @inline(__always)
  func callDataWord(_ frame: UnsafeMutablePointer<Frame>, _ offset: UInt256) -> UInt256 {
    let count = UInt64(frame.pointee.inputCount)
    var word = UInt256.zero
    if offset.fitsUInt64 && offset.limb0 < count {
      let rest = Int(count &- offset.limb0)
      let start = frame.pointee.input + Int(offset.limb0)
      if rest >= 32 {
        word = UInt256(bigEndian: start)
      } else {
        word = UInt256(bigEndian: start, count: rest) << UInt64((32 &- rest) &* 8)
      }
    }
    return word
  }

  /// CALLDATACOPY and CODECOPY: bytes of `source`, zero past its end.
  mutating func copy(
    _ frame: UnsafeMutablePointer<Frame>, from source: UnsafePointer<UInt8>, count available: Int
  ) -> Step {
    let destination = frame.pointee.word(0)
    let offset = frame.pointee.word(1)
    let count = frame.pointee.word(2)
    frame.pointee.stack -= 3
    let status = prepareCopy(frame, destination, count)
    if status != .stopped { return exit(status) }
    copyPadded(
      frame.pointee.memory, destination, from: source, count: available, offset, count)
    return .next
  }

  /// Charges for copying `count` bytes and makes memory cover the destination.
  @inline(__always)
  private mutating func prepareCopy(
    _ frame: UnsafeMutablePointer<Frame>, _ destination: UInt256, _ count: UInt256
  ) -> ExecutionStatus {
    if !frame.pointee.charge(wordCost(count, schedule.copyWord)) { return .outOfGas }
    return expandMemory(frame, destination, count)
  }

  /// Copies into memory that is known to cover the destination.
  private func copyPadded(
    _ memory: UnsafeMutablePointer<UInt8>, _ destination: UInt256,
    from source: UnsafePointer<UInt8>, count available: Int, _ offset: UInt256, _ count: UInt256
  ) {
    if count.isZero { return }
    let target = memory + Int(destination.limb0)
    let wanted = Int(count.limb0)
    let start = Int(min(offset.clampedToUInt64, UInt64(available)))
    let taken = min(wanted, available &- start)
    UnsafeMutableRawPointer(target).copyMemory(from: source + start, byteCount: taken)
    (target + taken).update(repeating: 0, count: wanted &- taken)
  }

  /// EXTCODECOPY.
  mutating func externalCodeCopy(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    let destination = frame.pointee.word(1)
    let offset = frame.pointee.word(2)
    let count = frame.pointee.word(3)
    let address = Address(frame.pointee.word(0))
    frame.pointee.stack -= 4
    let status = prepareCopy(frame, destination, count)
    if status != .stopped { return exit(status) }
    guard let entry = access(frame, address) else { return .exit }
    if !journal.loadCode(entry, &view, zeros: workspace.zeros) { return fault() }
    copyPadded(
      frame.pointee.memory, destination, from: entry.pointee.code.bytes,
      count: entry.pointee.code.count, offset, count)
    return .next
  }

  /// RETURNDATACOPY: reading past the end halts (EIP-211).
  mutating func returnDataCopy(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    let destination = frame.pointee.word(0)
    let offset = frame.pointee.word(1)
    let count = frame.pointee.word(2)
    frame.pointee.stack -= 3
    let available = UInt64(returnDataCount)
    if !offset.fitsUInt64 || !count.fitsUInt64 || offset.limb0 > available
      || count.limb0 > available &- offset.limb0
    {
      return exit(.returnDataOutOfBounds)
    }
    let status = prepareCopy(frame, destination, count)
    if status != .stopped { return exit(status) }
    copyPadded(
      frame.pointee.memory, destination, from: workspace.returnData, count: returnDataCount,
      offset, count)
    return .next
  }

  /// MCOPY: the ranges may overlap (EIP-5656).
  mutating func memoryCopy(_ frame: UnsafeMutablePointer<Frame>) -> Step {
    let destination = frame.pointee.word(0)
    let source = frame.pointee.word(1)
    let count = frame.pointee.word(2)
    frame.pointee.stack -= 3
    if !frame.pointee.charge(wordCost(count, schedule.copyWord)) { return exit(.outOfGas) }
    let status = expandMemory(frame, destination < source ? source : destination, count)
    if status != .stopped { return exit(status) }
    if !count.isZero {
      let memory = UnsafeMutableRawPointer(frame.pointee.memory)
      (memory + Int(destination.limb0)).copyMemory(
        from: memory + Int(source.limb0), byteCount: Int(count.limb0))
    }
    return .next
  }

  /// LOG0 to LOG4.
  mutating func log(_ frame: UnsafeMutablePointer<Frame>, topicCount: Int) -> Step {
    let offset = frame.pointee.word(0)
    let count = frame.pointee.word(1)
    if frame.pointee.isStatic { return exit(.staticViolation) }
    if !count.fitsUInt64 || count.limb0 > 1 << 38 { return exit(.outOfGas) }
    if !frame.pointee.charge(Int64(count.limb0) &* schedule.logByte) { return exit(.outOfGas) }
    let status = expandMemory(frame, offset, count)
    if status != .stopped { return exit(status) }
    let bytes = Int(count.limb0)
    guard
      let record = journal.appendLog(
        address: frame.pointee.address, topicCount: topicCount, dataCount: bytes)
    else { return fault() }
    if topicCount > 0 { record.pointee.topics.0 = frame.pointee.word(2) }
    if topicCount > 1 { record.pointee.topics.1 = frame.pointee.word(3) }
    if topicCount > 2 { record.pointee.topics.2 = frame.pointee.word(4) }
    if topicCount > 3 { record.pointee.topics.3 = frame.pointee.word(5) }
    if bytes > 0 {
      UnsafeMutableRawPointer(journal.logData + record.pointee.dataOffset).copyMemory(
        from: frame.pointee.memory + Int(offset.limb0), byteCount: bytes)
    }
    frame.pointee.stack -= 2 &+ topicCount
    return .next
  }
}
