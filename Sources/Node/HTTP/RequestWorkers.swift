import Foundation
import NIOCore
import Synchronization

/// Threads that answer requests which may take time, in the order of their arrival.
///
/// A thread is woken only when one waits, and a connection's event loop only when it does not have
/// answers to fetch already: under load hardly anybody is.
package final class RequestWorkers: @unchecked Sendable {
  // Sendable: what changes is behind `condition`.

  private let condition = NSCondition()
  private var jobs: [@Sendable () -> Void] = []
  /// The first of `jobs` that is not taken yet.
  private var next = 0
  private var idle = 0
  private var isEnding = false
  private let threads = DispatchGroup()

  /// Starts threads, which live until `end`.
  package init(threads count: Int) {
    for index in 0..<count {
      threads.enter()
      let thread = Thread { [self] in
        work()
        threads.leave()
      }
      thread.name = "request \(index)"
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  /// Has a thread do a job.
  func submit(_ job: @escaping @Sendable () -> Void) {
    condition.lock()
    jobs.append(job)
    if idle > 0 { condition.signal() }
    condition.unlock()
  }

  private func work() {
    condition.lock()
    while true {
      while next == jobs.count {
        if isEnding { return condition.unlock() }
        idle += 1
        condition.wait()
        idle -= 1
      }
      let job = jobs[next]
      next += 1
      if next == jobs.count {
        jobs.removeAll(keepingCapacity: true)
        next = 0
      } else if next >= 1024 {
        jobs.removeFirst(next)
        next = 0
      }
      condition.unlock()
      job()
      condition.lock()
    }
  }

  /// Lets the threads end when all jobs are done, and waits for that.
  package func end() {
    condition.lock()
    isEnding = true
    condition.broadcast()
    condition.unlock()
    threads.wait()
  }
}

/// Answers on their way to the connections of one event loop.
final class AnswerBox: Sendable {
  private let loop: any EventLoop
  private let answers = Mutex<[@Sendable () -> Void]>([])

  init(_ loop: any EventLoop) { self.loop = loop }

  /// Has the event loop take an answer; from any thread.
  func post(_ answer: @escaping @Sendable () -> Void) {
    let isFirst = answers.withLock { answers in
      answers.append(answer)
      return answers.count == 1
    }
    if isFirst { loop.execute { self.take() } }
  }

  private func take() {
    let all = answers.withLock { answers in
      let all = answers
      answers.removeAll(keepingCapacity: false)
      return all
    }
    for answer in all { answer() }
  }
}
