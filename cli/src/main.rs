//! The `switchover` command. All of it lives in the library beside this file.

fn main() -> std::process::ExitCode {
    switchover::main()
}
