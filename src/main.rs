//! Words in, exit code out.

fn main() -> std::process::ExitCode {
    keyroll::cli::main()
}
