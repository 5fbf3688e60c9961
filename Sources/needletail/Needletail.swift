import ArgumentParser

@main
struct Needletail: ParsableCommand {
}
