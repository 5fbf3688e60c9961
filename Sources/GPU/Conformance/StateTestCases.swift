import EVM
import Ethereum
import Execution

/// The cases of one file of state tests, ready for a batch.
struct StateTestCases: Sendable {
  /// One transaction of a test under one fork.
  struct Case: Sendable {
    var fork: Fork
    var post: StateTest.Post
    /// The transaction, unless its form is wrong: such a one never gets into a batch.
    var transaction: PreparedTransaction?
    /// What is wrong with its form.
    var fault: FormatError?
    /// Its number in the batch of its fork.
    var row = 0
  }

  /// A test and those of its cases that are wanted.
  struct Test: Sendable {
    var test: StateTest
    var cases: [Case]
    var skipped: [CaseResult]
  }

  var file: String
  var tests: [Test] = []
  /// Why the file can not be read; it has no tests then.
  var error: FormatError?

  /// Reads a file. Only cases of `forks` are wanted, all where it is `nil`, and of these only those
  /// that `isWanted`.
  init(file: String, forks: Set<Fork>?, isWanted: (CaseRun.Entry) -> Bool) {
    self.file = file
    func wants(_ name: String) -> Bool {
      isWanted(CaseRun.Entry(file: file, result: CaseResult(name: name)))
    }
    do throws(FormatError) {
      var reader = try FixtureReader<StateTest>(path: file, options: StateTest.Options())
      while let test = try reader.next() {
        var cases: [Case] = []
        for (fork, posts) in test.post where forks?.contains(fork) ?? true {
          for post in posts where wants(StateTestRunner.name(test, fork, post.indexes)) {
            cases.append(Case(test, post, fork))
          }
        }
        let skipped = forks == nil ? StateTestRunner.skipped(test).filter { wants($0.name) } : []
        tests.append(Test(test: test, cases: cases, skipped: skipped))
      }
    } catch {
      tests = []
      self.error = error
    }
  }
}

extension StateTestCases.Case {
  fileprivate init(_ test: StateTest, _ post: StateTest.Post, _ fork: Fork) {
    self.fork = fork
    self.post = post
    do throws(FormatError) {
      transaction = try StateTestRunner.prepare(test, post)
    } catch {
      fault = error
    }
  }
}
