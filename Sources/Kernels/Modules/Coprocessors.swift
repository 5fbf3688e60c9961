// Batches of coprocessors. Compiled apart from the core's machine: see Tools/kernels/compile.py.
#if NEEDLETAIL_DEVICE
  /// `KeccakKernel`.
  @_cdecl("keccak_hash")
  public func keccakHash(_ arguments: UnsafeRawPointer) {
    KeccakKernel.lane(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: KeccakKernel.Arguments.self))
  }

  /// `SHA256Kernel`.
  @_cdecl("sha256_hash")
  public func sha256Hash(_ arguments: UnsafeRawPointer) {
    SHA256Kernel.lane(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: KeccakKernel.Arguments.self))
  }

  /// `GeneratorTableKernel`.
  @_cdecl("recover_table")
  public func recoverTable(_ arguments: UnsafeRawPointer) {
    GeneratorTableKernel.lane(
      DeviceForms.laneIndex,
      arguments.assumingMemoryBound(to: GeneratorTableKernel.Arguments.self))
  }

  /// `RecoverKernel.read`.
  @_cdecl("recover_read")
  public func recoverRead(_ arguments: UnsafeRawPointer) {
    RecoverKernel.read(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: RecoverKernel.Arguments.self))
  }

  /// `RecoverKernel.scalars`.
  @_cdecl("recover_scalars")
  public func recoverScalars(_ arguments: UnsafeRawPointer) {
    RecoverKernel.scalars(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: RecoverKernel.Arguments.self))
  }

  /// `RecoverKernel.combine`. Four blocks of 128 threads leave a lane 128 registers.
  // launch bounds: 128 threads, 4 blocks
  @_cdecl("recover_combine")
  public func recoverCombine(_ arguments: UnsafeRawPointer) {
    RecoverKernel.combine(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: RecoverKernel.Arguments.self))
  }

  /// `RecoverKernel.finish`.
  @_cdecl("recover_finish")
  public func recoverFinish(_ arguments: UnsafeRawPointer) {
    RecoverKernel.finish(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: RecoverKernel.Arguments.self))
  }

  /// `SendersKernel.read`.
  @_cdecl("senders_read")
  public func sendersRead(_ arguments: UnsafeRawPointer) {
    SendersKernel.read(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: SendersKernel.Arguments.self))
  }

  /// `SendersKernel.write`.
  @_cdecl("senders_write")
  public func sendersWrite(_ arguments: UnsafeRawPointer) {
    SendersKernel.write(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: SendersKernel.Arguments.self))
  }

  /// `TrieKernel.common`.
  @_cdecl("trie_common")
  public func trieCommon(_ arguments: UnsafeRawPointer) {
    TrieKernel.common(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TrieKernel.Arguments.self))
  }

  /// `TrieKernel.count`.
  @_cdecl("trie_count")
  public func trieCount(_ arguments: UnsafeRawPointer) {
    TrieKernel.count(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TrieKernel.Arguments.self))
  }

  /// `TrieKernel.fill`.
  @_cdecl("trie_fill")
  public func trieFill(_ arguments: UnsafeRawPointer) {
    TrieKernel.fill(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TrieKernel.Arguments.self))
  }

  /// `TrieKernel.leaves`.
  @_cdecl("trie_leaves")
  public func trieLeaves(_ arguments: UnsafeRawPointer) {
    TrieKernel.leaves(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TrieKernel.Arguments.self))
  }

  /// `TrieKernel.start`.
  @_cdecl("trie_start")
  public func trieStart(_ arguments: UnsafeRawPointer) {
    TrieKernel.start(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TrieKernel.Arguments.self))
  }

  /// `TrieKernel.branches`.
  @_cdecl("trie_branches")
  public func trieBranches(_ arguments: UnsafeRawPointer) {
    TrieKernel.branches(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TrieKernel.Arguments.self))
  }

  /// `TrieKernel.empty`.
  @_cdecl("trie_empty")
  public func trieEmpty(_ arguments: UnsafeRawPointer) {
    TrieKernel.empty(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TrieKernel.Arguments.self))
  }

  /// `TrieKernel.anyCommon`.
  @_cdecl("trie_any_common")
  public func trieAnyCommon(_ arguments: UnsafeRawPointer) {
    TrieKernel.anyCommon(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TrieKernel.Arguments.self))
  }

  /// `TrieKernel.anyCount`.
  @_cdecl("trie_any_count")
  public func trieAnyCount(_ arguments: UnsafeRawPointer) {
    TrieKernel.anyCount(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TrieKernel.Arguments.self))
  }

  /// `TrieKernel.anyFill`.
  @_cdecl("trie_any_fill")
  public func trieAnyFill(_ arguments: UnsafeRawPointer) {
    TrieKernel.anyFill(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TrieKernel.Arguments.self))
  }

  /// `TrieKernel.anyLeaves`.
  @_cdecl("trie_any_leaves")
  public func trieAnyLeaves(_ arguments: UnsafeRawPointer) {
    TrieKernel.anyLeaves(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TrieKernel.Arguments.self))
  }

  /// `TrieKernel.anyBranches`.
  @_cdecl("trie_any_branches")
  public func trieAnyBranches(_ arguments: UnsafeRawPointer) {
    TrieKernel.anyBranches(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TrieKernel.Arguments.self))
  }

  /// `TrieProofKernel`.
  @_cdecl("trie_prove")
  public func trieProve(_ arguments: UnsafeRawPointer) {
    TrieProofKernel.lane(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TrieProofKernel.Arguments.self))
  }

  /// `TrieChangeKernel.find`.
  @_cdecl("trie_find")
  public func trieFind(_ arguments: UnsafeRawPointer) {
    TrieChangeKernel.find(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TrieChangeKernel.Arguments.self))
  }

  /// `TrieChangeKernel.store`.
  @_cdecl("trie_store")
  public func trieStore(_ arguments: UnsafeRawPointer) {
    TrieChangeKernel.store(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TrieChangeKernel.Arguments.self))
  }

  /// `TrieChangeKernel.move`.
  @_cdecl("trie_move")
  public func trieMove(_ arguments: UnsafeRawPointer) {
    TrieChangeKernel.move(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TrieChangeKernel.Arguments.self))
  }

  /// `TrieChangeKernel.insert`.
  @_cdecl("trie_insert")
  public func trieInsert(_ arguments: UnsafeRawPointer) {
    TrieChangeKernel.insert(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: TrieChangeKernel.Arguments.self))
  }

  /// `FieldCheckKernel`.
  @_cdecl("field_check")
  public func fieldCheck(_ arguments: UnsafeRawPointer) {
    FieldCheckKernel.lane(
      DeviceForms.laneIndex, arguments.assumingMemoryBound(to: FieldCheckKernel.Arguments.self))
  }
#endif
