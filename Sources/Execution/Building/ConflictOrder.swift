/// Arranges transactions in steps: those of one step need nothing of each other, and those that need each
/// other keep their order. What has the longest row of others behind it goes first, and the steps are
/// about equally long, so that the members of a row lie far apart.
struct ConflictOrder {
  /// Transactions. Nodes with higher numbers are no transactions but places where many end and many
  /// begin: so there are not as many edges as pairs.
  private let count: Int
  private var gas: [UInt64]
  /// Who needs a node, directly.
  private var followers: [[Int32]]
  /// How many nodes each one needs.
  private var needs: [Int32]
  /// All nodes, each behind those that it needs.
  private var order: [Int32] = []

  /// The order of transactions with these predictions, given in the order that those keep which need each
  /// other.
  init(_ predictions: [AccessPrediction]) {
    count = predictions.count
    gas = predictions.map { max($0.gasUsed, 1) }
    followers = Array(repeating: [], count: count)
    needs = Array(repeating: 0, count: count)
    var cells: [UInt64: Users] = [:]
    for index in 0..<count {
      var needed: Set<Int32> = []
      for entry in predictions[index].accesses.entries {
        meet(Int32(index), entry.use, &cells[entry.cell, default: Users()])
          .map { _ = needed.insert($0) }
      }
      link(needed, to: Int32(index))
      order.append(Int32(index))
    }
  }

  /// Who used a cell so far, as far as later users need to know.
  private struct Users {
    /// The last ones that need no order among themselves.
    var last: [Int32] = []
    var use = AccessSet.Use()
    /// The node that they all need.
    var before: Int32?
  }

  /// Adds a user to those of a cell; gives the node that it needs.
  private mutating func meet(_ index: Int32, _ use: AccessSet.Use, _ users: inout Users) -> Int32? {
    if users.last.isEmpty || !users.use.conflicts(with: use) {
      users.use.formUnion(use)
    } else {
      if users.last.count == 1 {
        users.before = users.last[0]
      } else {
        let node = Int32(needs.count)
        gas.append(0)
        followers.append([])
        needs.append(0)
        link(Set(users.last), to: node)
        order.append(node)
        users.before = node
      }
      users.last = []
      users.use = use
    }
    users.last.append(index)
    return users.before
  }

  private mutating func link(_ nodes: Set<Int32>, to node: Int32) {
    for other in nodes { followers[Int(other)].append(node) }
    needs[Int(node)] = Int32(nodes.count)
  }

  /// The steps, each with the places of its transactions.
  func arranged() -> [[Int]] {
    if count == 0 { return [] }
    let heights = longestRows { gas[$0] }
    let steps = Int(longestRows { $0 < count ? 1 : 0 }.max()!)
    let width = (count + steps - 1) / steps
    var needs = needs
    var ready = (0..<count).filter { needs[$0] == 0 }
    var result: [[Int]] = []
    while !ready.isEmpty {
      // The better paying one first where nothing else decides.
      ready.sort { heights[$0] != heights[$1] ? heights[$0] > heights[$1] : $0 < $1 }
      let step = Array(ready.prefix(width))
      ready.removeFirst(step.count)
      var done = step
      while let node = done.popLast() {
        for follower in followers[node] {
          needs[Int(follower)] -= 1
          if needs[Int(follower)] > 0 { continue }
          if Int(follower) < count {
            ready.append(Int(follower))
          } else {
            done.append(Int(follower))
          }
        }
      }
      result.append(step)
    }
    return result
  }

  /// The gas of the longest row in which each transaction needs the one before.
  var longestRow: UInt64 { longestRows { gas[$0] }.max() ?? 0 }

  /// The sum of the longest row that begins with each node.
  private func longestRows(_ length: (Int) -> UInt64) -> [UInt64] {
    var rows = needs.indices.map(length)
    for node in order.reversed() {
      rows[Int(node)] &+= followers[Int(node)].reduce(0) { max($0, rows[Int($1)]) }
    }
    return rows
  }
}
