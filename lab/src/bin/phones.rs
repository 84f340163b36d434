//! Simulated phones, as many as are asked for: `phones FILE…`.
//!
//! Each file is what a phone would fetch, such as `9c7514000101.cfg`; a folder stands for every `.cfg` in it. What happens is
//! printed as lines of JSON. Each line of standard input is an order, as JSON: to switch on one more phone, to call. When
//! standard input ends the phones are off, as if unplugged.

use std::error::Error;
use std::fs;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::thread;

use clap::Parser;
use switchover_lab::{
    DeviceSettings, SecondsWindow, SipEvent, SipOrder, SipPhone, Windows, run_phones,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Simulated phones: they register on both of their servers, change over when the main one goes, and answer calls.
#[derive(Parser)]
struct Arguments {
    /// Files of phones, or folders of them
    files: Vec<PathBuf>,
    /// Certificates to trust, for TLS (PEM)
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
    /// What all times of the phones are multiplied with
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    time_scale: f64,
    /// Seconds in which a phone changes over to the failover
    #[arg(long, default_value = "60-105", value_name = "MIN-MAX")]
    to_failover: Window,
    /// Seconds in which a phone returns to the main server
    #[arg(long, default_value = "60-105", value_name = "MIN-MAX")]
    to_main: Window,
}

#[derive(Clone, Copy)]
struct Window(SecondsWindow);

impl FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (min, max) = text.split_once('-').unwrap_or((text, text));
        let number = |text: &str| {
            text.trim()
                .parse()
                .map_err(|_| format!("{text:?} is no number of seconds"))
        };
        let (min, max) = (number(min)?, number(max)?);
        if min > max {
            return Err(format!("{min} is later than {max}"));
        }
        Ok(Self(SecondsWindow::new(min, max)))
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("the phones failed: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let (orders, ordered) = unbounded_channel();
    let (events, happened) = unbounded_channel();
    for file in device_files(&arguments.files)? {
        let phone =
            phone(&file, arguments).map_err(|problem| format!("{}: {problem}", file.display()))?;
        orders.send(SipOrder::SwitchOn {
            phone: Box::new(phone),
        })?;
    }
    thread::spawn(move || take_orders(&orders));
    let printer = thread::spawn(move || print(happened));
    run_phones(ordered, events)?;
    match printer.join() {
        Ok(printed) => Ok(printed?),
        Err(_) => Err("what happened could not be printed".into()),
    }
}

fn device_files(given: &[PathBuf]) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in given {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries: Vec<PathBuf> = fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<_>>()?;
        let configurations = entries
            .into_iter()
            .filter(|path| path.extension().is_some_and(|end| end == "cfg"));
        files.extend(configurations);
    }
    files.sort();
    Ok(files)
}

fn phone(file: &Path, arguments: &Arguments) -> Result<SipPhone, Box<dyn Error>> {
    let settings = DeviceSettings::read(&fs::read_to_string(file)?)?;
    let mut phone = settings.phone().ok_or("no account is switched on")?;
    if let Some(name) = file.file_stem() {
        phone.name = name.to_string_lossy().into_owned();
    }
    phone.authority.clone_from(&arguments.authority);
    phone.time_scale = arguments.time_scale;
    phone.windows = Windows {
        to_failover: arguments.to_failover.0,
        to_main: arguments.to_main.0,
    };
    Ok(phone)
}

/// Passes orders on until there are no more; the phones end with them.
fn take_orders(orders: &UnboundedSender<SipOrder>) {
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        match serde_json::from_str(&line) {
            Ok(order) => {
                if orders.send(order).is_err() {
                    return;
                }
            }
            Err(problem) => eprintln!("not an order: {problem}"),
        }
    }
}

fn print(mut happened: UnboundedReceiver<SipEvent>) -> io::Result<()> {
    let mut output = io::stdout().lock();
    while let Some(event) = happened.blocking_recv() {
        serde_json::to_writer(&mut output, &event)?;
        output.write_all(b"\n")?;
        if happened.is_empty() {
            output.flush()?;
        }
    }
    output.flush()
}
