/// The launches for tries of hashes, and for those of any keys.
extension TrieKernel {
  /// Compares the hashes at both sides of a border.
  @inline(__always)
  package static func common(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    common(index, arguments, HashKeys.self)
  }

  /// Counts the branches whose first border is one of 64.
  @inline(__always)
  package static func count(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    count(index, arguments, HashKeys.self)
  }

  /// Lists them.
  @inline(__always)
  package static func fill(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    fill(index, arguments, HashKeys.self)
  }

  /// Hashes a leaf.
  @inline(__always)
  package static func leaves(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    leaves(index, arguments, HashKeys.self)
  }

  /// Hashes a branch.
  @inline(__always)
  package static func branches(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    branches(index, arguments, HashKeys.self)
  }

  /// `common` for any keys.
  @inline(__always)
  package static func anyCommon(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    common(index, arguments, AnyKeys.self)
  }

  /// `count` for any keys.
  @inline(__always)
  package static func anyCount(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    count(index, arguments, AnyKeys.self)
  }

  /// `fill` for any keys.
  @inline(__always)
  package static func anyFill(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    fill(index, arguments, AnyKeys.self)
  }

  /// `leaves` for any keys.
  @inline(__always)
  package static func anyLeaves(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    leaves(index, arguments, AnyKeys.self)
  }

  /// `branches` for any keys.
  @inline(__always)
  package static func anyBranches(_ index: Int, _ arguments: UnsafePointer<Arguments>) {
    branches(index, arguments, AnyKeys.self)
  }
}
