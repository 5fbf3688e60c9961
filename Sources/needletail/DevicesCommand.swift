import ArgumentParser
import CUDA
import Ethereum
import Foundation
import GPU

struct DevicesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices",
    abstract: "List the GPUs that can execute, and compare them with the host.",
    subcommands: [DevicesListCommand.self, DevicesCheckCommand.self],
    defaultSubcommand: DevicesListCommand.self)
}

struct DevicesListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the GPUs that can execute, and the state of the kernels.",
    discussion: """
      CUDA_VISIBLE_DEVICES hides devices, as for every program that uses CUDA. \
      NEEDLETAIL_KERNEL_IMAGE names a file of other kernels, PTX or machine code, for work on them; \
      they have to be made from the same sources as the program.
      """)

  @Flag(help: "Print one object of JSON.")
  var json = false

  @Flag(help: "Run a small kernel on each device and load the kernels; 1 is returned if one fails.")
  var check = false

  func run() throws {
    var inventory = DeviceInventory()
    if check { inventory.check() }
    if json {
      var writer = JSONWriter()
      inventory.write(to: &writer)
      print(writer.text)
    } else {
      inventory.printText()
    }
    if check, !inventory.isReady { throw ExitCode(1) }
  }
}

/// The devices and images of this machine and program, and why there are none.
private struct DeviceInventory {
  private struct Row {
    var device: Device
    var name: String
    var uuid: String
    var capability: (major: Int, minor: Int)
    var multiprocessors: Int
    var clock: Int
    var totalMemory: Int
    /// `nil` when no context can be made, for example while another process has the device alone.
    var freeMemory: Int?
    /// Why the device can not execute; `nil` when it can.
    var obstacle: GPUError?
    /// What `--check` found.
    var checked: (kernel: Duration, loading: Duration)?
  }

  private var driver: Driver?
  private var rows: [Row] = []
  private var images = KernelImages([])
  private var driverError: CUDAError?
  private var imageError: KernelImageError?

  init() {
    do throws(KernelImageError) {
      images = try KernelImages.find()
    } catch {
      imageError = error
    }
    do throws(CUDAError) {
      let driver = try Driver.load()
      self.driver = driver
      for device in driver.devices { rows.append(try row(device)) }
    } catch {
      driverError = error
    }
  }

  private func row(_ device: Device) throws(CUDAError) -> Row {
    var row = Row(
      device: device, name: try device.name(), uuid: try device.uuid(),
      capability: try device.computeCapability(),
      multiprocessors: try device.attribute(.multiprocessorCount),
      clock: try device.attribute(.clockRate), totalMemory: try device.totalMemory())
    do throws(CUDAError) {
      row.freeMemory = try Context(device).memory().free
    } catch {
      row.obstacle = .cuda(error)
    }
    if row.obstacle == nil {
      do throws(GPUError) {
        _ = try TransactionKernelImages(images, for: device)
      } catch {
        row.obstacle = imageError.map { .image($0) } ?? error
      }
    }
    return row
  }

  /// Whether there is a device, and nothing stands in the way of any.
  var isReady: Bool { !rows.isEmpty && rows.allSatisfy { $0.obstacle == nil } }

  /// Runs a small kernel on each device, and loads the kernels.
  mutating func check() {
    for index in rows.indices where rows[index].obstacle == nil {
      do throws(GPUError) {
        rows[index].checked = try Self.check(rows[index].device, images)
      } catch {
        rows[index].obstacle = error
      }
    }
  }

  private static func check(
    _ device: Device, _ images: KernelImages
  ) throws(GPUError) -> (Duration, Duration) {
    let kernels = try TransactionKernelImages(images, for: device)
    do throws(CUDAError) {
      let context = try Context(device)
      guard let kernel = try DeviceCheck.runSmallKernel(in: context) else {
        throw CUDAError(.callFailed, "a small kernel gave a wrong result")
      }
      return (kernel, try DeviceCheck.load(kernels.light, into: context))
    } catch {
      throw .cuda(error)
    }
  }

  func printText() {
    if let driver {
      print(
        "driver of CUDA \(Driver.text(driver.version)), reads PTX "
          + Driver.ptxText(driver.ptxVersion))
    }
    if !rows.isEmpty {
      var table = TextTable([
        ("device", .left), ("name", .left), ("capability", .right), ("SMs", .right),
        ("clock", .right), ("memory", .right), ("free", .right), ("kernels", .left),
      ])
      for row in rows {
        table.add([
          "cuda:\(row.device.ordinal)", row.name, "\(row.capability.major).\(row.capability.minor)",
          "\(row.multiprocessors)", "\(row.clock / 1000) MHz", Self.gibibytes(row.totalMemory),
          row.freeMemory.map(Self.gibibytes) ?? "-", row.obstacle == nil ? "ready" : "none",
        ])
      }
      for line in table.lines { print(line) }
      for row in rows {
        if let obstacle = row.obstacle { print("  cuda:\(row.device.ordinal): \(obstacle)") }
        if let checked = row.checked {
          print(
            "  cuda:\(row.device.ordinal): a small kernel in \(Text.time(checked.kernel)), kernels "
              + "loaded in \(Text.time(checked.loading))")
        }
      }
    }
    if let driverError { print("no device: \(driverError)") }
    for image in images.images {
      let version = image.form == .ptx ? ", PTX \(Driver.ptxText(image.ptxVersion))" : ""
      print(
        "\(image.name): sm_\(image.architecture)\(version), sources \(image.sources): "
          + (image.isStale ? "stale, the program has others: run `make kernels`" : "fits"))
    }
    if let imageError {
      print(imageError)
    } else if images.images.isEmpty {
      print("no kernel image: run `make kernels` and build again")
    }
  }

  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      if let driver {
        writer.member("driver", Driver.text(driver.version))
        writer.member("ptx", Driver.ptxText(driver.ptxVersion))
      }
      writer.key("devices")
      writer.array { writer in
        for row in rows { write(row, to: &writer) }
      }
      if let driverError { writer.member("deviceError", "\(driverError)") }
      writer.key("images")
      writer.array { writer in
        for image in images.images {
          writer.object { writer in
            writer.member("name", image.name)
            writer.member("module", image.module.rawValue)
            writer.member("form", image.form.rawValue)
            writer.member("architecture", "sm_\(image.architecture)")
            writer.member("sources", image.sources)
            writer.member("stale", image.isStale)
          }
        }
      }
      if let imageError { writer.member("imageError", "\(imageError)") }
    }
  }

  private func write(_ row: Row, to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("device", "cuda:\(row.device.ordinal)")
      writer.member("name", row.name)
      writer.member("uuid", row.uuid)
      writer.member("computeCapability", "\(row.capability.major).\(row.capability.minor)")
      writer.member("multiprocessors", row.multiprocessors)
      writer.member("clockKilohertz", row.clock)
      writer.member("memoryBytes", row.totalMemory)
      if let free = row.freeMemory { writer.member("freeMemoryBytes", free) }
      writer.member("ready", row.obstacle == nil)
      if let obstacle = row.obstacle { writer.member("error", "\(obstacle)") }
      if let checked = row.checked {
        writer.key("smallKernelSeconds")
        writer.value(checked.kernel / .seconds(1))
        writer.key("loadingSeconds")
        writer.value(checked.loading / .seconds(1))
      }
    }
  }

  private static func gibibytes(_ bytes: Int) -> String {
    String(format: "%.1f GiB", Double(bytes) / Double(1 << 30))
  }
}
