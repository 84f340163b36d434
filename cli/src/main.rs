//! The `switchover` command. All of it lives in the library beside this file.

/// Reading a large topology spent a third of its time in the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    switchover::main()
}
